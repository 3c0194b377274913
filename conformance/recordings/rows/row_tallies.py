"""What a recording says of each row so far: what could have broken it, what did, and what nobody wrote down."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.recordings.recorded_exchange import Facet
from sendpoll.conformance.rules.tally import Shown, Tally

_TRIMMED = "_trimmed"
_KEPT_VIOLATIONS = 20
"""Violations of one row that are kept with their exchanges; the rest are counted."""


def trimmed(exchange: Exchange) -> Exchange:
    """The exchange as evidence, made once: several rows and the oracle keep it."""
    made: Exchange | None = exchange.__dict__.get(_TRIMMED)
    if made is None:
        made = exchange.__dict__[_TRIMMED] = exchange.trimmed()
    return made


@dataclass(frozen=True, slots=True)
class Seen:
    """A violation at the moment in which it was seen."""

    requirement: str
    sentence: str
    exchanges: tuple[Exchange, ...] = ()
    """Those that show it, trimmed."""
    task_id: str = ""
    """The task that it is about; empty where it is about none."""


@dataclass(slots=True)
class RowTally:
    """One row so far."""

    told: Tally = field(default_factory=Tally)
    unrecorded: Counter[Facet] = field(default_factory=Counter)
    """What was missing in exchanges that could have broken it."""
    excused: list[str] = field(default_factory=list)
    """Why what looked like a violation is none of the judged one's own making."""


class RowTallies:
    """All rows of one server, or of one client."""

    def __init__(self) -> None:
        self.rows: dict[str, RowTally] = defaultdict(RowTally)

    def exercise(self, requirement: str, count: int = 1) -> None:
        """So many exchanges could have broken it, and did not."""
        self.rows[requirement].told.exercised += count

    def lack(self, requirement: str, missing: Iterable[Facet]) -> None:
        """An exchange could have broken it, and nobody wrote down what would tell."""
        self.rows[requirement].unrecorded.update(missing)

    def excuse(self, requirement: str, reason: str) -> None:
        """It looks broken, and the reason says why that is not counted."""
        excused = self.rows[requirement].excused
        if len(excused) < _KEPT_VIOLATIONS:
            excused.append(reason)

    def violate(self, seen: Seen) -> Seen:
        """It is broken."""
        tally = self.rows[seen.requirement].told
        tally.exercised += 1
        tally.broken += 1
        if len(tally.violations) < _KEPT_VIOLATIONS:
            tally.violations.append(Shown(seen.sentence, seen.exchanges))
        return seen
