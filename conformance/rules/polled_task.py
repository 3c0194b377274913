"""A task as the polls of it show it: each answer handed to the oracle, and what contradicts kept with its exchanges."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.rules.predicates import poll_data
from sendpoll.core.oracle import RUNNING, Poll, TaskHistory, Violation, chunk_text

_KEPT_POLLS = 400
"""Polls of one task that the report's timeline shows."""
_KEPT_EXCHANGES = 300
"""Exchanges of one task that are kept in case that a later one contradicts them."""
_KEPT_CONTRADICTIONS = 20
"""Contradictions of one task with one requirement that are kept; the rest are counted."""
EVENT_SIZE = 500
"""Bytes of memory that an event takes beside its text."""


@dataclass(frozen=True, slots=True)
class PollNote:
    """One poll as the timeline shows it; times in seconds of the clock of its exchange."""

    reader: str
    asked: int
    sent_at: float
    received_at: float
    status: str
    events: int
    next_offset: int
    text: str


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A violation that the oracle found, with the exchanges of its two polls."""

    violation: Violation
    exchanges: tuple[Exchange, ...]


@dataclass(slots=True, kw_only=True)
class PolledTask:
    """A task, and what its polls have shown of it so far."""

    task_id: str
    sent_at: float
    """When its message was sent, or it was first heard of."""
    history: TaskHistory = field(default_factory=TaskHistory)
    notes: list[PollNote] = field(default_factory=list)
    contradictions: list[Contradiction] = field(default_factory=list)
    uncounted: Counter[str] = field(default_factory=Counter)
    """Requirement to how many more contradictions there were than are kept."""
    polls: int = 0
    finished_after: float | None = None
    """Seconds from sending the message to the first final answer."""
    _exchanges: dict[int, Exchange] = field(default_factory=dict)

    def observe(self, poll: Poll, exchange: Exchange | None) -> tuple[Violation, ...]:
        """Hand an answered poll to the oracle, with its trimmed exchange, if there is one; what it contradicts."""
        self.polls += 1
        if len(self.notes) < _KEPT_POLLS:
            self.notes.append(_note(poll))
        if poll.status != RUNNING and self.finished_after is None:
            self.finished_after = poll.received_at - self.sent_at
        known = self._known()
        violations = self.history.observe(poll)
        for violation in violations:
            self._note_contradiction(violation, exchange)
        news = known != self._known() or violations
        if exchange is not None and news and len(self._exchanges) < _KEPT_EXCHANGES:
            self._exchanges[exchange.number] = exchange
        return violations

    def conclude_late(self) -> tuple[Violation, ...]:
        """Judge the late polls that nothing has told the place of: no more polls are to come."""
        violations = tuple(self.history.place_late())
        for violation in violations:
            self._note_contradiction(violation, None)
        return violations

    def _known(self) -> tuple[int, int, bool, int]:
        """What of the history says whether a poll added to it."""
        history = self.history
        return len(history.log), len(history.offsets), history.is_final, history.set_aside

    def _note_contradiction(self, violation: Violation, exchange: Exchange | None) -> None:
        """Keep a contradiction with the exchanges of both its polls, as far as they are kept, or count it."""
        requirement = violation.requirement
        if sum(found.violation.requirement == requirement for found in self.contradictions) >= _KEPT_CONTRADICTIONS:
            self.uncounted[requirement] += 1
            return
        numbers = dict.fromkeys(known.number for known in violation.polls)
        kept = self._exchanges if exchange is None else {**self._exchanges, exchange.number: exchange}
        shown = tuple(kept[number] for number in numbers if number in kept)
        one, other = (poll._replace(events=()) for poll in violation.polls)
        self.contradictions.append(Contradiction(dataclasses.replace(violation, polls=(one, other)), shown))

    @property
    def is_over(self) -> bool:
        """Whether a final status was seen."""
        return self.finished_after is not None

    @property
    def text(self) -> str:
        """All text of the log, as a client would have printed it."""
        return text_of(self.history.log)

    @property
    def end_offset(self) -> int:
        """The offset behind all events that were returned."""
        return self.history.end_offset


def read_poll(exchange: Exchange, asked: int, reader: str) -> Poll | None:
    """The poll in an answer, read as leniently as it can be so that one fault does not end the reading."""
    data = poll_data(exchange)
    if data is None:
        return None
    events = data.get("events")
    status = data.get("status")
    return Poll(
        asked=asked,
        sent_at=exchange.timing.started,
        received_at=exchange.timing.finished,
        status=status if isinstance(status, str) else f"({status})",
        events=events if isinstance(events, list) else [],
        next_offset=_offset(data.get("next_offset")),
        reader=reader,
        number=exchange.number,
    )


def text_of(events: Iterable[Any]) -> str:
    """The text of events, as a client would print it."""
    return "".join(text for event in events if (text := chunk_text(event)) is not None)


def _offset(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return int(value)
    except (ValueError, OverflowError):
        return None


def _note(poll: Poll) -> PollNote:
    text = "".join(text for event in poll.events[:50] if (text := chunk_text(event)) is not None)
    return PollNote(
        reader=poll.reader,
        asked=poll.asked,
        sent_at=poll.sent_at,
        received_at=poll.received_at,
        status=poll.status[:40],
        events=len(poll.events),
        next_offset=-1 if poll.next_offset is None else poll.next_offset,
        text=text[:80],
    )
