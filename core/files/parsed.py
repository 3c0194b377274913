"""What was read from a file, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

Place = tuple[str | int, ...]
"""The keys and indices that lead to a value."""

DEPTH: Final = 64
"""Levels of mappings and lists; no file of ours has a quarter of them."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A value out of a file."""

    value: Any
    lines: Mapping[Place, int] = field(default_factory=lambda: MappingProxyType({}))
    """The line, from 1, on which the value at a place begins, where it is known."""
    unquoted: frozenset[Place] = frozenset()
    """The places of words that are no texts because nothing quotes them."""

    def where(self, place: Sequence[str | int]) -> str:
        """The place in words, with its line where that is known."""
        told = "/".join(str(part) for part in place) or "the file"
        for length in range(len(place), -1, -1):
            if (line := self.lines.get(tuple(place[:length]))) is not None:
                return f"{told} (line {line})"
        return told
