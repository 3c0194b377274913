"""What exchanges say about a requirement, counted, with those that show how it was broken."""

from __future__ import annotations

from dataclasses import dataclass, field

from sendpoll.conformance.http.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Shown:
    """A violation, and the exchanges that show it."""

    sentence: str
    exchanges: tuple[Exchange, ...]


@dataclass(slots=True)
class Tally:
    """What all exchanges so far say about one requirement."""

    exercised: int = 0
    broken: int = 0
    violations: list[Shown] = field(default_factory=list)
