"""Readings on one grid of time: a value a point, whatever the pace they were read at."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sendpoll.load.observe.observer import Recording

POINTS: Final = 300
"""At most; more than a plot shows apart, and few enough to be written for forty figures."""

Column = list[float | None]


@dataclass(frozen=True, slots=True)
class Grid:
    """Points of equal width from the start of a run."""

    width: float
    """Seconds."""
    points: int

    @property
    def times(self) -> list[float]:
        """The middle of each point."""
        return [round((place + 0.5) * self.width, 3) for place in range(self.points)]

    def gauge(self, times: Sequence[float], values: Sequence[float], join: Callable[[list[float]], float]) -> Column:
        """A column of numbers as they were read; several within a point are joined."""
        bins: list[list[float]] = [[] for _ in range(self.points)]
        for at, value in zip(times, values, strict=True):
            if not math.isnan(value) and 0 <= at < self.width * self.points:
                bins[int(at / self.width)].append(value)
        return [join(held) if held else None for held in bins]

    def rate(self, times: Sequence[float], values: Sequence[float]) -> Column:
        """A column of what a counter grew by a second; one that began anew has grown by what it counts now."""
        known = [(at, value) for at, value in zip(times, values, strict=True) if not math.isnan(value)]
        ends, grown = [], []
        for (before, old), (now, new) in itertools.pairwise(known):
            if now > before:
                ends.append((before + now) / 2)
                grown.append((new - old if new >= old else new) / (now - before))
        return self.gauge(ends, grown, mean)


def mean(values: list[float]) -> float:
    """The mean of some values."""
    return sum(values) / len(values)


def grid_of(recording: Recording) -> Grid:
    """A grid over all that was read since the start."""
    end = max((reading.times[-1] for reading in recording.readings if reading.times), default=0.0)
    width = max(1.0, end / POINTS)
    return Grid(width, max(0, math.ceil(end / width)))


def level_at(levels: Sequence[tuple[float, float]], at: float) -> float | None:
    """The level that was held at a time; None before the first."""
    return next((level for since, level in reversed(levels) if since <= at), None)


def total(columns: Sequence[Column]) -> Column:
    """The sum of columns, where any of them has a value."""
    return _joined(columns, sum)


def greatest(columns: Sequence[Column]) -> Column:
    """The greatest of columns, where any of them has a value."""
    return _joined(columns, max)


def _joined(columns: Sequence[Column], join: Callable[[list[float]], float]) -> Column:
    rows = ([one for one in row if one is not None] for row in zip(*columns, strict=True))
    return [join(held) if held else None for held in rows]
