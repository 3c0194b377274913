"""Whether a server changed while a plan looked at it: one level, held twice, that showed two different servers.

Cold starts, autoscaling, caches that warm and neighbours do that. No answer is right for both, so a reader must know.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sendpoll.load.measure.slo import Objective
from sendpoll.load.plan.tallies import Observations

_DEVIATIONS: Final = 4.0
"""Between two shares: a plan compares some dozens of pairs, and of servers that stay the same one in a hundred plans
may show such a difference."""


@dataclass(frozen=True, slots=True)
class ServerChange:
    """One level at two times. Moments are seconds since the start of the run."""

    level: float
    objective: Objective
    before: float
    """The share of good samples."""
    before_at: float
    after: float
    after_at: float
    deviations: float

    def sentence(self, unit: str) -> str:
        """What was seen, and what it means."""
        direction = "better" if self.after > self.before else "worse"
        return (
            f"the server changed: at {self.level:g} {unit} {self.before:.0%} of the tasks were within "
            f"{self.objective.text} {self.before_at:.0f} s into the plan, and {self.after:.0%} of them "
            f"{self.after_at:.0f} s into it; it got {direction} by itself (a cold start, autoscaling, a cache, a "
            f"neighbour), so plan it again once it is as it will be"
        )


def greatest_change(observations: Observations) -> ServerChange | None:
    """The greatest difference between two holds of one level that chance does not explain; None without one."""
    found = [one for one in _changes(observations) if one.deviations > _DEVIATIONS]
    return max(found, key=lambda one: one.deviations, default=None)


def _changes(observations: Observations) -> Iterator[ServerChange]:
    steps = sorted(observations.steps, key=lambda step: step.settled_at)
    for one, other in itertools.combinations(steps, 2):
        if not math.isclose(one.level, other.level):
            continue
        for place in observations.places(observations.tiers[0]):
            first, last = observations.tallies_of(one)[place], observations.tallies_of(other)[place]
            if not first.total or not last.total:
                continue
            worth = [tally.total / observations.effect(place, one.level, tally) for tally in (first, last)]
            shares = [tally.good / tally.total for tally in (first, last)]
            pooled = (first.good + last.good + 1) / (first.total + last.total + 2)
            deviation = math.sqrt(pooled * (1 - pooled) * (1 / worth[0] + 1 / worth[1]))
            yield ServerChange(
                one.level,
                observations.objectives[place],
                shares[0],
                one.settled_at,
                shares[1],
                other.settled_at,
                abs(shares[0] - shares[1]) / deviation,
            )
