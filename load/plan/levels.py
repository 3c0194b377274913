"""Which level the search needs next: between good and bad, and what those are, from every sound step."""

from __future__ import annotations

import math
from typing import Final

from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.estimate import falling
from sendpoll.load.plan.judge import judged
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.tallies import Observations, Tally

_WIDE: Final = 1.5
"""The interval's upper end over its lower, beyond which a level within it is held, and not one between two neighbours:
a few unlucky samples at a low level would keep the search there."""
_UPWARDS: Final = 0.7
"""How far up it: higher levels have more tasks a second, and what is good there is good below."""
_BELOW_FULL: Final = 0.85
"""Of the most that it finished, what a server is likely to take in time."""


class Levels:
    """Levels as the observations stand; it keeps nothing of its own."""

    def __init__(self, settings: Settings, observations: Observations) -> None:
        self.settings = settings
        self.observations = observations

    def next(self, good: float | None, bad: float | None, found: Capacity, top: float) -> float:
        """The level whose samples the answer needs most."""
        if good is None:
            return self.lowest()
        if bad is None:
            return self.settings.rounded(min(good * (1 + self.settings.precision), top))
        low = max(found.low, self.lowest())
        if found.high is not None and found.high > _WIDE * low and not self.settings.adjacent(low, found.high):
            return self.settings.rounded(low * (found.high / low) ** _UPWARDS)
        if not self.settings.adjacent(good, bad):
            return self._between(good, bad)
        for level in (good, bad):
            if self.observations.holds_at(level) < self.settings.pace.agreeing:
                return level
        step = 1 + self.settings.precision
        near = [good, bad]
        if found.high is None or found.high > bad:
            near.append(self._above(bad, step))
        if found.low < good:
            near.append(self._below(good, step))
        return min(near, key=lambda level: (self._samples_at(level), abs(math.log(level / good))))

    def _between(self, good: float, bad: float) -> float:
        """The middle; with open arrivals, what an overload has shown the server to finish, if that is well between."""
        likely = self.settings.rounded(_BELOW_FULL * self.most_served()) if self.settings.arrivals else 0.0
        if good < likely < bad and not self.settings.adjacent(good, likely):
            return likely
        return self.settings.between(good, bad)

    def most_served(self) -> float:
        """The most tasks a second that any step saw finished."""
        return max((step.served for step in self.observations.steps), default=0.0)

    def _above(self, level: float, ratio: float) -> float:
        wanted = self.settings.rounded(level * ratio)
        return wanted if wanted > level else level + 1

    def _below(self, level: float, ratio: float) -> float:
        wanted = self.settings.rounded(level / ratio)
        if wanted < level or self.settings.arrivals:
            return wanted
        return max(1.0, level - 1)

    def _samples_at(self, level: float) -> float:
        return sum(step.started for step in self.observations.steps if math.isclose(step.level, level))

    def _is_bracketed(self, good: float | None, bad: float | None) -> bool:
        """Whether good and bad are neighbours, and each was looked at as often as is asked."""
        if good is None or bad is None or not self.settings.adjacent(good, bad):
            return False
        return min(self.observations.holds_at(good), self.observations.holds_at(bad)) >= self.settings.pace.agreeing

    def is_close(self, good: float | None, bad: float | None, found: Capacity) -> bool:
        """Whether they are, and the interval is narrow enough."""
        if not self._is_bracketed(good, bad):
            return False
        if found.high is None:
            return False
        whole = not self.settings.arrivals and found.high - found.low <= 1
        return whole or found.ratio <= 1 + 2 * self.settings.precision

    def bracket(self, tier: str) -> tuple[float | None, float | None]:
        """The highest level on the good side in every objective, all levels taken together, and the next one above."""
        levels = sorted({step.level for step in self.observations.steps})
        good = len(levels)
        for place in self.observations.places(tier):
            objective = self.observations.objectives[place]
            points = [point for point in self.observations.points(place) if point.total]
            shares = falling([point.good / point.total for point in points], [point.total for point in points])
            reached = [point.level for point, share in zip(points, shares, strict=True) if share < objective.share]
            if reached:
                good = min(good, levels.index(reached[0]))
        return (levels[good - 1] if good else None), (levels[good] if good < len(levels) else None)

    def lowest(self) -> float:
        """The lowest level that was held, or where the search begins."""
        return min((step.level for step in self.observations.steps), default=self.settings.start)

    def lowest_has_failed(self, tier: str) -> bool:
        """Whether all that was seen at the lowest level together fails an objective."""
        for place in self.observations.places(tier):
            point = self.observations.points(place)[0]
            tally = Tally(point.good, point.total)
            if judged(self.observations.objectives[place], tally, point.effect).decision is Decision.FAIL:
                return True
        return False
