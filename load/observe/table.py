"""Numbers over time that take a bounded amount of memory, however long a run is."""

from __future__ import annotations

import math
from array import array
from collections.abc import Hashable, Mapping
from typing import Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
MAX_ROWS: Final = 1200
"""Twenty minutes of seconds; a longer run keeps each second, then each fourth reading, and so on."""


class Table(Generic[Key]):
    """Rows of numbers; a column that is new, or that a row lacks, holds NaN there."""

    def __init__(self, most: int = MAX_ROWS) -> None:
        self.times = array("d")
        self.columns: dict[Key, array[float]] = {}
        self._most = most
        self._every = 1
        self._offered = 0

    def add(self, at: float, values: Mapping[Key, float]) -> None:
        """Keep a row, unless those that are kept lie further apart by now."""
        self._offered += 1
        if (self._offered - 1) % self._every:
            return
        if len(self.times) >= self._most:
            self._thin()
        for key in values.keys() - self.columns.keys():
            self.columns[key] = array("d", [math.nan]) * len(self.times)
        self.times.append(at)
        for key, column in self.columns.items():
            column.append(values.get(key, math.nan))

    def _thin(self) -> None:
        """Every second row is enough: counters lose nothing by it, and gauges were samples anyway."""
        self.times = self.times[::2]
        self.columns = {key: column[::2] for key, column in self.columns.items()}
        self._every *= 2
        self._offered = 1
