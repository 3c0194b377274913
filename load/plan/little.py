"""Little's law as a cross-check: users = throughput x (task time + think time), in any steady closed system.

Where the two sides differ by more than chance allows, the step was not steady, or users were not doing what they were
thought to do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from sendpoll.load.plan.steps import Step

_TOLERANCE: Final = 0.05


@dataclass(frozen=True, slots=True)
class LittleCheck:
    """Both sides of the law for one step."""

    expected: float
    """Users that there were; with open arrivals, tasks in progress as counted."""
    found: float
    """Rounds a second times the time of a round; with open arrivals, times the task time."""
    tolerance: float
    """The relative difference that chance explains in so short a time, and 5 % more."""

    @property
    def gap(self) -> float:
        """The relative difference."""
        return abs(self.found - self.expected) / self.expected if self.expected else 0.0

    @property
    def holds(self) -> bool:
        """Whether it is within the tolerance."""
        return self.gap <= self.tolerance


def little_check(step: Step, think_s: float, arrivals: bool) -> LittleCheck | None:
    """The check of a step; None where no task ended or some did not, so that their time is not known."""
    tasks = [record.elapsed_s for record in step.records if not record.follow_up]
    if not tasks or step.unfinished or step.seconds <= 0:
        return None
    task_s = sum(tasks) / len(tasks)
    round_s = task_s if arrivals else task_s + think_s
    expected = step.in_progress if arrivals else step.level
    rounds = step.seconds / round_s if round_s > 0 else math.inf
    tolerance = _TOLERANCE + 1.5 / (rounds * math.sqrt(max(1.0, expected)))
    return LittleCheck(expected, step.rounds_per_second * round_s, tolerance)
