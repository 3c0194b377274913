"""What a plan is asked, and how its time is spent."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from sendpoll.load.measure.slo import ServiceLevel

GENERATOR_SHARE: Final = 0.6
"""Beyond this share of what the generator can do at most, its own delays would be in the answer."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long holds are, in seconds and in task cycles (a task and the thinking after it)."""

    baseline_tasks: int
    ladder_s: float
    ladder_cycles: float
    refine_s: float
    refine_cycles: float
    refine_limit_s: float
    confirm_share: float
    """Of the budget, kept for the confirmation; 0: none."""
    agreeing: int
    """How often both neighbours of the answer are held."""
    precision: float
    """How close the answer is to be: the search ends when its interval is this far to either side."""


FULL: Final = Pace(
    baseline_tasks=3,
    ladder_s=8,
    ladder_cycles=1.0,
    refine_s=30,
    refine_cycles=4,
    refine_limit_s=90,
    confirm_share=0.15,
    agreeing=2,
    precision=0.10,
)
QUICK: Final = Pace(
    baseline_tasks=2,
    ladder_s=5,
    ladder_cycles=1.0,
    refine_s=15,
    refine_cycles=2,
    refine_limit_s=40,
    confirm_share=0,
    agreeing=1,
    precision=0.25,
)


class SettingsError(ValueError):
    """A plan cannot be made so; the message names the input and the mend."""


def for_tasks(service: ServiceLevel) -> tuple[ServiceLevel, tuple[str, ...]]:
    """The objectives that a plan can count tasks by, and a sentence for each that is left out."""
    drifts = [objective for objective in service.objectives if objective.slope is not None]
    polls = [
        objective
        for objective in service.objectives
        if not objective.per_task and objective.kind not in {"none", "slope"}
    ]
    told = [f"{one.text} is about polls, and a plan counts tasks: sendpoll load judges it" for one in polls]
    told += [f"{one.text} is about drift, which takes longer than a step: sendpoll load judges it" for one in drifts]
    spans = [objective for objective in service.objectives if objective.every_s is not None and objective.per_task]
    told += [f"{one.text} is held to over each step as a whole: sendpoll load judges its spans" for one in spans]
    kept = (replace(objective, every_s=None) for objective in service.objectives if objective.per_task)
    return ServiceLevel(kept), tuple(told)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the search is to find, within which limits."""

    service: ServiceLevel
    arrivals: bool = False
    """Levels are messages a second that arrive whatever the server does, in place of users that wait for it."""
    max_level: float = 1000
    budget_s: float = 720
    pace: Pace = FULL
    headroom: float = 0.20
    """How far below the answer the recommended level lies."""
    task_deadline_s: float = 120
    start_spread_s: float = 5
    """Users that come together send their first messages over this time."""
    generator_requests: float | None = None
    """Requests a second that the generator can do at most, from the doctor; None: not known, not held against it."""

    def __post_init__(self) -> None:
        """Check what only a plan asks of its objectives. Raises SettingsError."""
        if not any(objective.kind == "quantile" for objective in self.service.objectives):
            raise SettingsError("a plan needs an objective with a limit; give one, such as --slo 'task p95 <= 30s'")
        if self.budget_s < 60:
            raise SettingsError("--budget: a plan needs at least 1min")

    @property
    def precision(self) -> float:
        """How close the answer is to be, to either side."""
        return self.pace.precision

    @property
    def unit(self) -> str:
        """What a level counts."""
        return "messages a second" if self.arrivals else "users"

    @property
    def start(self) -> float:
        """The level to begin with: one user, or a message each 5 s."""
        return 0.2 if self.arrivals else 1.0

    def rounded(self, level: float) -> float:
        """The nearest level that can be held: whole users, rates to three digits."""
        if not self.arrivals:
            return float(max(1, round(level)))
        return float(f"{level:.3g}")

    def adjacent(self, low: float, high: float) -> bool:
        """Whether nothing worth holding lies between two levels."""
        return high / low <= 1 + self.precision or (not self.arrivals and high - low <= 1)

    def between(self, low: float, high: float) -> float:
        """The level in the middle of two, by ratio."""
        middle = self.rounded(math.sqrt(low * high))
        return middle if self.arrivals else min(max(middle, low + 1), high - 1)
