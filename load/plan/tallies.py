"""What was seen at each level, objective by objective: counts of good samples, and how much their correlation costs.

Tasks of one step are not independent: those that met the same queue were late together. The design effect says by how
much that widens an interval: the variance of the share of good samples as seen between batches of time, over the
variance that independent samples would have. It is pooled over the steps of a plan, since one step alone has too few
batches to tell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sendpoll.load.measure.records import TaskRecord
from sendpoll.load.measure.slo import Objective, ServiceLevel
from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.steps import Step

_BATCHES: Final = 6
"""Batches of time a step is cut into. Fewer, longer ones see more of the correlation and know less of its size."""
_OWN_DEGREES: Final = 20
"""Batches' worth of trust in what the other steps showed, against a step's own batches."""
_NEAR: Final = 0.1
"""Levels apart by this much, as a logarithm, are neighbours: about 10 %."""
_STATIONARY: Final = 0.8
"""Where fewer samples than this share are good, they were good first and bad when the queue had grown: that is a trend,
and no measure of how samples cluster."""
_LEAST_EFFECT: Final = 1.0
_USUAL_EFFECT: Final = 4.0
_ENDED_ALONE: Final = frozenset({"errors", "refused"})
"""What a task is by these is known when it has ended: until then it is neither an error nor refused."""
_USUAL_WEIGHT: Final = 4.0
"""What queues usually show, in as many bad samples' worth of trust: a plan's first steps show next to nothing."""


@dataclass(frozen=True, slots=True)
class Tally:
    """The samples of one objective in one step."""

    good: int
    total: int
    between: float = 0.0
    """Sum over the batches of the squared surplus of good samples, scaled to estimate the variance of `good`."""
    within: float = 0.0
    """What that sum would be with independent samples."""
    batches: int = 0

    @property
    def bad(self) -> int:
        """Samples that are not good."""
        return self.total - self.good


def tally(step: Step, judged: Sequence[tuple[float, bool]], unfinished: int) -> Tally:
    """Count the samples of an objective: pairs of the intended start and whether it was good.

    `unfinished` tasks were started in the step and have not ended: bad, and in its last batches as far as anyone knows.
    """
    good = sum(is_good for _, is_good in judged)
    total = len(judged) + unfinished
    batches = min(_BATCHES, total // 4)
    if batches < 3 or step.seconds <= 0:
        return Tally(good, total)
    counts, goods = [0] * batches, [0] * batches
    for at, is_good in judged:
        place = min(batches - 1, max(0, int((at - step.settled_at) / step.seconds * batches)))
        counts[place] += 1
        goods[place] += is_good
    share = (good + 0.5) / (total + 1)
    surplus = sum((seen - share * count) ** 2 for seen, count in zip(goods, counts, strict=True))
    return Tally(good, total, surplus * batches / (batches - 1), total * share * (1 - share), batches)


def pooled_effect(own: Tally | None, others: Iterable[tuple[float, Tally]]) -> float:
    """How many samples of this step are worth one independent sample; at least 1.

    The other steps count by their weight, and by how many bad samples they had: a step without any says nothing of how
    they cluster.
    """
    between, within = _USUAL_EFFECT * _USUAL_WEIGHT, _USUAL_WEIGHT
    for weight, other in others:
        between += weight * other.between
        within += weight * other.within
    pooled = between / within
    if own is None or own.within <= 0 or own.batches < 3:
        return max(_LEAST_EFFECT, pooled)
    trust = own.batches / (own.batches + _OWN_DEGREES)
    return max(_LEAST_EFFECT, trust * own.between / own.within + (1 - trust) * pooled)


def _nearness(one: float, other: float) -> float:
    """From 1 for the same level to nothing for one far away, by ratio."""
    return math.exp(-((math.log(one / other) / _NEAR) ** 2) / 2)


@dataclass(frozen=True, slots=True)
class Point:
    """One level's samples of one objective, all its sound steps together."""

    level: float
    good: int
    total: int
    effect: float
    """The design effect that its samples have."""
    holds: int = 1
    """How often it was held."""

    @property
    def effective_good(self) -> float:
        """Good samples, as many as they are worth."""
        return self.good / self.effect

    @property
    def effective_bad(self) -> float:
        """Bad samples, as many as they are worth."""
        return (self.total - self.good) / self.effect


class Observations:
    """Every sound step of a plan, tallied. Objectives are known by their place in `objectives`."""

    def __init__(self, service: ServiceLevel, *, arrivals: bool = False) -> None:
        self.service = service
        self.arrivals = arrivals
        """Whether levels are messages a second, in place of users."""
        self.objectives: tuple[Objective, ...] = tuple(
            objective for objective in service.objectives if objective.per_task
        )
        named = dict.fromkeys(one.tier for one in self.objectives if one.tier or one.kind == "quantile")
        self.tiers: tuple[str, ...] = tuple(sorted(named, key=lambda tier: tier != ""))
        """The unnamed tier first, if it has a limit: the first tier is the one that the search is for."""
        self.steps: list[Step] = []
        self.predicted: dict[int, Capacity] = {}
        """What a model foretells of objectives, by their place; empty where the samples alone decide."""
        self._tallies: list[tuple[Tally, ...]] = []
        self._judged: dict[int, tuple[TaskRecord, tuple[bool | None, ...]]] = {}

    def places(self, tier: str) -> tuple[int, ...]:
        """A tier's objectives: its own, and the unnamed tier's on what it says nothing of."""
        own = {objective.metric for objective in self.objectives if objective.tier == tier}
        return tuple(
            place
            for place, objective in enumerate(self.objectives)
            if objective.tier == tier or (not objective.tier and objective.metric not in own)
        )

    def longest_limit_s(self, metric: str | None = None) -> float | None:
        """The longest time that an objective of the first tier allows, of a metric or of any; None if none does."""
        wanted = (self.objectives[place] for place in self.places(self.tiers[0]))
        limits = [one.limit_s for one in wanted if one.limit_s is not None and metric in {None, one.metric}]
        return max(limits, default=None)

    def add(self, step: Step) -> None:
        """Take a sound step in."""
        self.steps.append(step)
        self._tallies.append(self.tallies_of(step))

    def forget(self, step: Step) -> None:
        """Leave a step out: it was of another server than the later ones, such as one that had just started."""
        place = self.steps.index(step)
        del self.steps[place], self._tallies[place]

    def tallies_of(self, step: Step) -> tuple[Tally, ...]:
        """A step's counts, an entry an objective.

        A task that has not ended is late by any limit, and no error: it becomes one at the deadline.
        """
        judged: list[list[tuple[float, bool]]] = [[] for _ in self.objectives]
        places = [place for place, objective in enumerate(self.service.objectives) if objective.per_task]
        for record in step.records:
            samples = self._samples(record)
            for column, place in zip(judged, places, strict=True):
                sample = samples[place]
                if sample is not None:
                    column.append((record.scheduled_at, sample))
        return tuple(
            tally(step, column, 0 if objective.metric in _ENDED_ALONE else step.unfinished)
            for objective, column in zip(self.objectives, judged, strict=True)
        )

    def _samples(self, record: TaskRecord) -> tuple[bool | None, ...]:
        """What a task is to each objective: asked for again and again while its step lasts."""
        known = self._judged.get(id(record))
        if known is None:
            known = self._judged[id(record)] = (record, self.service.judge(record))
        return known[1]

    def effect(self, place: int, level: float, own: Tally | None = None) -> float:
        """The design effect of an objective's samples at a level, for a step or over the whole plan.

        Tasks that meet the same queue are in the system at once, so with few users few hang together.
        """
        others = [
            (_nearness(level, step.level), tallies[place])
            for step, tallies in zip(self.steps, self._tallies, strict=True)
            if tallies[place].good >= _STATIONARY * tallies[place].total
        ]
        found = pooled_effect(own, others)
        return found if self.arrivals else min(found, max(_LEAST_EFFECT, level))

    def points(self, place: int) -> list[Point]:
        """An objective's samples by level, lowest first."""
        by_level: dict[float, list[Tally]] = {}
        for step, tallies in zip(self.steps, self._tallies, strict=True):
            by_level.setdefault(step.level, []).append(tallies[place])
        return [self._point(place, level, by_level[level]) for level in sorted(by_level)]

    def _point(self, place: int, level: float, tallies: Sequence[Tally]) -> Point:
        total = sum(one.total for one in tallies)
        weighted = sum(one.total * self.effect(place, level, one) for one in tallies)
        good = sum(one.good for one in tallies)
        return Point(level, good, total, weighted / total if total else _LEAST_EFFECT, len(tallies))

    def holds_at(self, level: float) -> int:
        """How many sound steps were held at a level."""
        return sum(math.isclose(step.level, level) for step in self.steps)
