"""How fast a number drifts over a long run, as a share an hour, and how sure that is.

The number is taken in spans of equal length, since quantiles need samples, and a line is fitted to its logarithm. Spans
hang together in time: what a slow hour of the machine did to one it did to its neighbours, so the interval is of as
many independent spans as the autocorrelation of the residuals leaves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sendpoll.load.measure.histogram import Histogram
from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.statistics import z_of
from sendpoll.load.measure.window import Window

SPANS: Final = 24
_FEWEST_SPANS: Final = 10
_WARM_UP: Final = 0.1
"""Of the run: caches fill, pools grow, users come."""
SURE: Final = 0.99
"""Of the interval, which is stricter than that of shares: a soak is run to be trusted, and there is one a night."""
_HOUR_S: Final = 3600.0

TimedValues = Sequence[tuple[float, float]]
"""Seconds since the start of the run, and the value then."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A drift, as shares an hour: 0.01 is one per cent."""

    per_hour: float
    low: float
    high: float
    spans: int

    def decision(self, most: float) -> Decision:
        """Whether it is at most so much an hour."""
        if self.high <= most:
            return Decision.PASS
        return Decision.FAIL if self.low > most else Decision.INCONCLUSIVE


def drift_of(points: TimedValues) -> Drift | None:
    """The drift of a number; None where there are too few spans to see one."""
    known = [(at, math.log(value)) for at, value in points if value > 0]
    count = len(known)
    if count < _FEWEST_SPANS:
        return None
    middle, level = (sum(column) / count for column in zip(*known, strict=True))
    spread = sum((at - middle) ** 2 for at, _ in known)
    if not spread:
        return None
    slope = sum((at - middle) * (value - level) for at, value in known) / spread
    residuals = [value - level - slope * (at - middle) for at, value in known]
    independent = _independent(residuals)
    variance = sum(one * one for one in residuals) / (count - 2)
    error = math.sqrt(variance / spread * count / independent)
    reach = _student(independent - 2) * error * _HOUR_S
    return Drift(slope * _HOUR_S, slope * _HOUR_S - reach, slope * _HOUR_S + reach, count)


def _independent(residuals: Sequence[float]) -> float:
    """How many of the spans tell as much as independent ones would; never fewer than four."""
    whole = sum(one * one for one in residuals)
    beside = sum(one * other for one, other in itertools.pairwise(residuals))
    hang = min(0.9, max(0.0, beside / whole + 1 / len(residuals))) if whole else 0.0
    return max(4.0, len(residuals) * (1 - hang) / (1 + hang))


def _student(degrees: float) -> float:
    """How many standard errors the interval reaches, for so many degrees of freedom (Cornish-Fisher)."""
    z = z_of(SURE)
    first = (z**3 + z) / (4 * degrees)
    return z + first + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)


def quantile_points(windows: Sequence[Window], name: str, share: float) -> list[tuple[float, float]]:
    """A quantile of a run in each of its spans, without the time in which it warmed up; seconds."""
    if not windows:
        return []
    end = windows[-1].index + windows[-1].seconds
    begin = end * _WARM_UP
    spans = [Histogram() for _ in range(SPANS)]
    for window in windows:
        place = int((window.index - begin) / (end - begin) * SPANS)
        if window.index >= begin:
            spans[min(SPANS - 1, place)].add(window.histograms[name])
    needed = math.ceil(1 / (1 - share))
    width = (end - begin) / SPANS
    return [
        (begin + (place + 0.5) * width, held.quantile(share) / 1e6)
        for place, held in enumerate(spans)
        if held.count >= needed
    ]


def mean_points(points: TimedValues) -> list[tuple[float, float]]:
    """The mean of a number in each span of a run, without the time in which it warmed up."""
    if not points:
        return []
    end = points[-1][0]
    begin = end * _WARM_UP
    spans: list[list[float]] = [[] for _ in range(SPANS)]
    for at, value in points:
        if at >= begin and end > begin:
            spans[min(SPANS - 1, int((at - begin) / (end - begin) * SPANS))].append(value)
    width = (end - begin) / SPANS
    return [(begin + (place + 0.5) * width, sum(held) / len(held)) for place, held in enumerate(spans) if held]
