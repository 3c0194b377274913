"""Axes of a chart: values into places, and round numbers beside them.

A run looks at its tasks early and comes back to them late. The time axis leaves the long pauses out, so that what
happens before and after them can be seen.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_PAUSE_SECONDS = 1.5
_PAUSE_SHARE = 0.15
"""A pause is left out where it is longer than both: so many seconds, and this share of the whole."""
_BREAK = 26.0
"""Width of what is drawn in place of a pause."""
_LEAST = 30.0
"""Width that the shortest stretch between two pauses is given."""
_APART = 48.0
"""Two numbers on the axis stand at least so far apart."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A number on an axis, and where it stands."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis on which equal distances are equal differences."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Where a value stands, in the units of the drawing."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.stop - self.start), 1)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """An axis of seconds in which long pauses are left out."""

    stretches: tuple[Scale, ...]

    def at(self, seconds: float) -> float:
        """Where a moment stands; one in a pause at the end of the stretch before it."""
        begun = [stretch for stretch in self.stretches if stretch.low <= seconds] or [self.stretches[0]]
        return begun[-1].at(min(max(seconds, begun[-1].low), begun[-1].high))

    @property
    def breaks(self) -> tuple[float, ...]:
        """The middle of each pause that is left out."""
        return tuple(round(stretch.stop + _BREAK / 2, 1) for stretch in self.stretches[:-1])

    def ticks(self, wanted: int) -> tuple[Tick, ...]:
        """About so many moments, never so near that their numbers touch."""
        seen = sum(stretch.high - stretch.low for stretch in self.stretches)
        step = round_step(seen / wanted, 0.001)
        found: list[Tick] = []
        for stretch in self.stretches:
            values = list(multiples(step, stretch.low, stretch.high)) or [round(stretch.low, 2)]
            for value in values:
                at = stretch.at(min(max(value, stretch.low), stretch.high))
                if not found or at - found[-1].at >= _APART:
                    found.append(Tick(at, f"{value:g} s"))
        return tuple(found)


def time_axis(moments: Iterable[tuple[float, float]], start: float, stop: float) -> TimeAxis:
    """The axis for what lasts from one moment to another, several times over, drawn between two places."""
    spans = list(_spans(sorted(moments) or [(0.0, 0.0)]))
    busy = sum(high - low for low, high in spans)
    room = stop - start - _BREAK * (len(spans) - 1) - _LEAST * len(spans)
    stretches = []
    at = start
    for low, high in spans:
        share = (high - low) / busy if busy else 1 / len(spans)
        width = _LEAST + room * share
        stretches.append(Scale(low, max(high, low + 0.001), round(at, 1), round(at + width, 1)))
        at += width + _BREAK
    return TimeAxis(tuple(stretches))


def _spans(moments: list[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    whole = max(end for _, end in moments) - moments[0][0]
    low, high = moments[0]
    for begin, end in moments:
        if begin - high > max(_PAUSE_SECONDS, _PAUSE_SHARE * whole):
            yield low, high
            low, high = begin, end
        high = max(high, end)
    yield low, high


def round_step(rough: float, smallest: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    rough = max(rough, smallest)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def multiples(step: float, low: float, high: float) -> Iterator[float]:
    """The multiples of a step from low to high."""
    for number in range(math.ceil(low / step), math.floor(high / step) + 1):
        yield round(number * step, 6)
