"""What counts at some levels leave open of a curve that can only fall: draws of its whole course.

The curve is the log-odds of a good sample over the logarithm of the level. Before anything is seen, its drop between
two levels is exponentially distributed, on average in proportion to their distance, and how steep it is in all is not
known. That prior does not depend on which levels were held. So few samples at a low level are no reason to doubt it
where many at a higher one were good, and the likelihood is summed exactly, on a grid, in time linear in the levels.
"""

from __future__ import annotations

import bisect
import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_REACH: Final = 9.0
_WIDTH: Final = 0.1
_ODDS: Final = tuple(_WIDTH * place for place in range(-round(_REACH / _WIDTH), round(_REACH / _WIDTH) + 1))
"""The grid of log-odds: shares from 0.0001 to 0.9999."""
_SLOPES: Final = (1.0, 3.0, 8.0, 20.0, 50.0)
"""Log-odds lost, on average, for each unit of log level."""
_LEAST_DROP: Final = 0.05
"""Mean drop between the closest neighbours: below half the grid's width the draws would not move."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A level and what was seen there, as many independent samples as they are worth."""

    level: float
    good: float
    bad: float


@dataclass(frozen=True, slots=True)
class _Filtered:
    """The forward pass for one slope."""

    evidence: float
    """Logarithm of the likelihood of everything that was seen."""
    last: tuple[float, ...]
    """Cumulated weights of the grid at the highest level."""
    above: tuple[tuple[float, ...], ...]
    """For each level below, highest first: weights cumulated from the top of the grid, given the level above it."""


def draws(seen: Sequence[Seen], count: int, rng: random.Random) -> list[list[float]]:
    """Courses of the curve that agree with what was seen: the log-odds at each level, lowest level first."""
    likelihoods = [_likelihood(one) for one in seen]
    passes = [_filtered(seen, likelihoods, slope) for slope in _SLOPES]
    most = max(one.evidence for one in passes)
    weights = [math.exp(one.evidence - most) for one in passes]
    return [_drawn(one, rng) for one in rng.choices(passes, weights, k=count)]


def _likelihood(seen: Seen) -> list[float]:
    logs = [-seen.good * math.log1p(math.exp(-odds)) - seen.bad * math.log1p(math.exp(odds)) for odds in _ODDS]
    most = max(logs)
    return [math.exp(one - most) for one in logs]


def _filtered(seen: Sequence[Seen], likelihoods: Sequence[Sequence[float]], slope: float) -> _Filtered:
    weights, evidence = _scaled(likelihoods[0])
    above: list[tuple[float, ...]] = []
    for (below, here), likelihood in zip(itertools.pairwise(seen), likelihoods[1:], strict=True):
        mean_drop = max(_LEAST_DROP, slope * math.log(here.level / below.level))
        stay = math.exp(-_WIDTH / mean_drop)
        shrunk = [weight * stay**place for place, weight in enumerate(weights)]
        above.append(tuple(itertools.accumulate(reversed(shrunk))))
        weights, gained = _scaled([one * other for one, other in zip(_dropped(weights, stay), likelihood, strict=True)])
        evidence += gained
    return _Filtered(evidence, tuple(itertools.accumulate(weights)), tuple(reversed(above)))


def _dropped(weights: Sequence[float], stay: float) -> list[float]:
    """The weights after a geometric number of places down; the lowest place takes what would fall beyond it."""
    gathered, found = 0.0, []
    for weight in reversed(weights):
        gathered = gathered * stay + weight
        found.append(gathered * (1 - stay))
    found[-1] = gathered
    return found[::-1]


def _scaled(weights: Sequence[float]) -> tuple[list[float], float]:
    total = sum(weights)
    return [weight / total for weight in weights], math.log(total)


def _drawn(passed: _Filtered, rng: random.Random) -> list[float]:
    place = bisect.bisect_left(passed.last, rng.random() * passed.last[-1])
    course = [_ODDS[place]]
    for above in passed.above:
        reachable = above[len(_ODDS) - 1 - place]
        if reachable > 0:
            place = len(_ODDS) - 1 - bisect.bisect_left(above, rng.random() * reachable)
        course.append(_ODDS[place])
    return course[::-1]
