"""By what a run is judged, and what every report says in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sendpoll.schemas.catalogue import Catalogue, Level, Requirement

SCHEMA_VERSION: Final = 1
_LISTED = 8


@dataclass(frozen=True, slots=True)
class Judgement:
    """By what a run is judged."""

    level: Literal["must", "should"] = "should"
    strict: bool = False
    """Whether a failed SHOULD row fails the run."""
    only: frozenset[str] = frozenset()
    """The rows that were asked for; all where empty."""

    def rows(self, catalogue: Catalogue) -> list[Requirement]:
        """The rows that are judged, in the order of the catalogue."""
        asked = [row for row in catalogue.checked if not self.only or row.id in self.only]
        return [row for row in asked if self.level == "should" or row.level is Level.MUST]


def listed(identifiers: Sequence[str]) -> str:
    """Ids for a sentence; of very many the first."""
    shown = ", ".join(identifiers[:_LISTED])
    return shown if len(identifiers) <= _LISTED else f"{shown} and {len(identifiers) - _LISTED} more"
