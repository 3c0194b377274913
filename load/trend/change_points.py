"""Where a series of runs changed its level, beyond what chance makes of the order of its values.

Of all ways to cut a series in two, the one is looked at whose parts differ most in their ranks; it counts if fewer than
one in 200 shufflings of the same values have one as good, and if the medians lie far enough apart. Then each part is
cut in the same way. Ranks, since one run on a busy machine must not pull a level along. The method is the E-divisive
change detection that Apache Otava and its forebears use on benchmarks, with ranks in place of distances.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SHORTEST: Final = 3
"""Runs on either side of a change: two may be one busy hour."""
ENOUGH_RUNS: Final = 9
"""With fewer, no order of the values is so rare that it could count."""
_RARE: Final = 0.005
_SHUFFLINGS: Final = 1999


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change of level."""

    place: int
    """The first run of the new level."""
    before: float
    """Median of the runs since the change before, up to this one."""
    after: float
    rarity: float
    """The share of shufflings that have a change as clear: its p-value."""

    @property
    def ratio(self) -> float | None:
        """After over before; None where that was 0."""
        return self.after / self.before if self.before else None


def change_points(values: Sequence[float], least_change: float, seed: int = 0) -> list[ChangePoint]:
    """The changes of a series, in order; `least_change` is the share by which the medians must differ at least."""
    if not values:
        return []
    cuts = sorted(_cuts(values, 0, least_change, random.Random(seed)))
    edges = [0, *(place for place, _ in cuts), len(values)]
    medians = [statistics.median(values[start:end]) for start, end in itertools.pairwise(edges)]
    return [
        ChangePoint(place, before, after, rarity)
        for (place, rarity), before, after in zip(cuts, medians, medians[1:], strict=False)
        if _differ(before, after, least_change)
    ]


def _cuts(values: Sequence[float], offset: int, least_change: float, source: random.Random) -> list[tuple[int, float]]:
    if len(values) < 2 * SHORTEST:
        return []
    ranks = _ranks(values)
    place, clearness = _placed(values), _clearest(ranks)
    if not _differ(statistics.median(values[:place]), statistics.median(values[place:]), least_change):
        return []
    rarity = _rarity(ranks, clearness, source)
    if rarity > _RARE:
        return []
    left = _cuts(values[:place], offset, least_change, source)
    right = _cuts(values[place:], offset + place, least_change, source)
    return [*left, (offset + place, rarity), *right]


def _differ(before: float, after: float, least_change: float) -> bool:
    return abs(after - before) > least_change * max(abs(before), abs(after), 1e-12)


def _ranks(values: Sequence[float]) -> list[float]:
    """The rank of each value around 0; equal ones share theirs."""
    ordered = sorted(values)
    middle = (len(values) - 1) / 2
    first: dict[float, int] = {}
    count: dict[float, int] = {}
    for place, value in enumerate(ordered):
        first.setdefault(value, place)
        count[value] = count.get(value, 0) + 1
    return [first[value] + (count[value] - 1) / 2 - middle for value in values]


def _clearest(ranks: Sequence[float]) -> float:
    """How much the two parts differ where they do most, by the standard error of a sum of ranks."""
    count, total, most = len(ranks), 0.0, 0.0
    for place, rank in enumerate(ranks, 1):
        total += rank
        if SHORTEST <= place <= count - SHORTEST:
            most = max(most, abs(total) / math.sqrt(place * (count - place)))
    return most


def _placed(values: Sequence[float]) -> int:
    """Where to cut so that the values lie closest to the medians of their parts: ranks know less of where."""

    def distance(place: int) -> float:
        parts = values[:place], values[place:]
        medians = map(statistics.median, parts)
        return sum(abs(value - middle) for part, middle in zip(parts, medians, strict=True) for value in part)

    return min(range(SHORTEST, len(values) - SHORTEST + 1), key=distance)


def _rarity(ranks: list[float], clearness: float, source: random.Random) -> float:
    shuffled, as_clear = list(ranks), 1
    for _ in range(_SHUFFLINGS):
        source.shuffle(shuffled)
        as_clear += _clearest(shuffled) >= clearness - 1e-12
    return as_clear / (_SHUFFLINGS + 1)
