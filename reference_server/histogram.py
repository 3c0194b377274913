"""How long things take, counted in a quarter of a microsecond."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

BOUNDS: Final = tuple(base * 10.0**power for power in range(-5, 1) for base in (1, 2, 5))
"""Seconds: from 10 microseconds to 5 seconds, three for each power of ten."""


class Histogram:
    """Times in seconds, counted by the first bound that they do not exceed. One thread counts."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        """The last is of what exceeds all bounds."""
        self.total = 0.0
        """Seconds together."""

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds
