"""The level at which an objective stops being met, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Capacity:
    """Where an objective stops being met. All in levels: users, or messages a second."""

    level: float | None
    """The best guess; None where no crossing was seen."""
    low: float
    """At least this, at 95 %; 0 where not even the lowest level was good."""
    high: float | None
    """At most this, at 95 %; None where nothing bounds it from above."""

    @property
    def ratio(self) -> float:
        """The upper end of the interval over the lower: 1.2 is about 10 % to either side."""
        return math.inf if self.high is None or self.low <= 0 else self.high / self.low


def lowest(found: Sequence[Capacity]) -> Capacity:
    """The capacity under several objectives: each end of its interval is the lowest of theirs."""
    levels = [one.level for one in found if one.level is not None]
    highs = [one.high for one in found if one.high is not None]
    return Capacity(min(levels, default=None), min((one.low for one in found), default=0.0), min(highs, default=None))
