"""From what was seen at each level to the level at which an objective is no longer met, and how sure that is.

Attainment can only fall as load grows. From all falling courses that agree with the effective samples of every level
(`posterior`) come as many crossings of the objective's share; between the two levels around a crossing, whose shape
nobody saw, the course is drawn from nearly flat to nearly a step at either end. So two levels far apart give a wide
interval however many samples they have. The answer is the median crossing.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Final

from sendpoll.load.measure.statistics import wilson
from sendpoll.load.plan.capacity import Capacity, lowest
from sendpoll.load.plan.posterior import Seen, draws
from sendpoll.load.plan.tallies import Observations, Point

DRAWS: Final = 400
_COVERAGE: Final = 0.95
_ANOTHER_HOLD: Final = 0.08
"""By how much (standard deviation, as a share) what one hold says of the answer differs from what the next one says,
beyond what its samples tell: a hold is a minute of a server's life."""
_ANOTHER_OPEN_HOLD: Final = 0.1
"""The same with open arrivals: a queue that nobody waits for wanders further."""
_NEAR: Final = 1.25
_BEND: Final = math.log(6.0)
"""Between two levels the fraction of the way is raised to a power from 1/6 to 6."""


def falling(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest sequence that never rises, in weighted least squares (pool adjacent violators)."""
    blocks: list[tuple[float, float, int]] = []
    for value, weight in zip(values, weights, strict=True):
        blocks.append((value, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] < blocks[-1][0]:
            (value_1, weight_1, size_1), (value_2, weight_2, size_2) = blocks[-2:]
            merged = weight_1 + weight_2
            blocks[-2:] = [((value_1 * weight_1 + value_2 * weight_2) / merged, merged, size_1 + size_2)]
    return [value for value, _, size in blocks for _ in range(size)]


def crossing(levels: Sequence[float], odds: Sequence[float], target: float, bend: float = 1.0) -> float | None:
    """The level at which falling log-odds go through the target's.

    0.0 if the first is below it already, None if none is. `bend` is the power that the fraction of the way between two
    levels is raised to: 1 is straight on the log-odds scale.
    """
    if not levels or odds[0] < target:
        return 0.0
    for place in range(len(levels) - 1):
        above, below = odds[place], odds[place + 1]
        if above >= target > below:
            way = (above - target) / (above - below)
            low, high = math.log(levels[place]), math.log(levels[place + 1])
            return math.exp(low + (high - low) * float(way**bend))
    return None


def capacity(points: Sequence[Point], target: float, *, arrivals: bool = False, seed: int = 0) -> Capacity:
    """Where an objective's share goes through its target, from every level that was held.

    Where there was no bad sample at all, no level bounds it.
    """
    sampled = [point for point in points if point.total]
    if not any(point.good < point.total for point in sampled):
        return Capacity(None, max((point.level for point in sampled), default=0.0), None)
    rng = random.Random(seed)
    seen = [Seen(point.level, point.effective_good, point.effective_bad) for point in sampled]
    drawn = sorted(_crossed(seen, course, target, rng) for course in draws(seen, DRAWS, rng))
    best = drawn[DRAWS // 2]
    near = sum(point.holds for point in sampled if 1 / _NEAR < point.level / max(best, 1e-9) < _NEAR)
    spread = (_ANOTHER_OPEN_HOLD if arrivals else _ANOTHER_HOLD) / math.sqrt(max(1, near))
    drawn = sorted(level * math.exp(rng.gauss(0.0, spread)) for level in drawn)
    tail = (1 - _COVERAGE) / 2
    low, high = drawn[int(DRAWS * tail)], drawn[min(DRAWS - 1, math.ceil(DRAWS * (1 - tail)))]
    if math.isinf(low):
        low = sampled[-1].level
    return Capacity(None if math.isinf(best) else best, min(low, best), None if math.isinf(high) else max(best, high))


def _crossed(seen: Sequence[Seen], course: Sequence[float], target: float, rng: random.Random) -> float:
    bend = math.exp(rng.uniform(-_BEND, _BEND))
    found = crossing([one.level for one in seen], course, log_odds(target), bend)
    return math.inf if found is None else found


def log_odds(share: float) -> float:
    """The logarithm of the odds of a share; of 0 and 1, of what is a millionth off."""
    bounded = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def objective_capacity(observations: Observations, place: int) -> Capacity:
    """The capacity under one objective, known by its place in the observations: a model's word where there is one."""
    if place in observations.predicted:
        return observations.predicted[place]
    return capacity(observations.points(place), observations.objectives[place].share, arrivals=observations.arrivals)


def tier_capacity(observations: Observations, tier: str) -> Capacity:
    """The capacity under all objectives of a tier.

    An objective without a bad sample does not lower what another one shows. Where none had any, one at least is to be
    proven: a handful of good tasks holds nothing.
    """
    places = observations.places(tier)
    foretold = [place for place in places if place in observations.predicted]
    if foretold:  # of what a model has no word on, only bad samples tell
        places = tuple(place for place in places if place in foretold or _has_bad(observations, place))
    whole = lowest([objective_capacity(observations, place) for place in places])
    seen = [(observations.points(place), observations.objectives[place].share) for place in places]
    if foretold or any(point.good < point.total for points, _ in seen for point in points):
        return whole
    return Capacity(None, max(_proven(points, share) for points, share in seen), None)


def _has_bad(observations: Observations, place: int) -> bool:
    return any(point.good < point.total for point in observations.points(place))


def _proven(points: Sequence[Point], share: float) -> float:
    """The highest level at which good samples alone prove a share: its own, and those of the levels above."""
    worth = 0.0
    for point in reversed(points):
        worth += point.effective_good
        if worth and wilson(worth, worth).low >= share:
            return point.level
    return 0.0
