"""By what a run is judged, and what every report says in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from sendpoll.conformance.results.report_json import ExcludedRow
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
    given: frozenset[str] = frozenset()
    """The options that were given, of those without which some rows are not judged."""

    def rows(self, catalogue: Catalogue) -> list[Requirement]:
        """The rows that are judged, in the order of the catalogue."""
        asked = [row for row in catalogue.checked if not self.only or row.id in self.only]
        asked = [row for row in asked if not row.asked_by or row.asked_by in self.given]
        return [row for row in asked if self.level == "should" or row.level is Level.MUST]

    def excluded(self, catalogue: Catalogue) -> list[ExcludedRow]:
        """The rows that no verdict is asked for, whatever was asked for, and why."""
        return [
            {"id": row.id, "reason": row.excluded or f"asked only with {row.asked_by}"}
            for row in catalogue.rows
            if row.excluded or (row.asked_by and row.asked_by not in self.given)
        ]


def listed(identifiers: Sequence[str]) -> str:
    """Ids for a sentence; of very many the first."""
    shown = ", ".join(identifiers[:_LISTED])
    return shown if len(identifiers) <= _LISTED else f"{shown} and {len(identifiers) - _LISTED} more"
