"""Judges the polls of one task against the one thing that all clients rely on: a log that only ever grows.

Pure, total, one pass, no I/O. A task is an append-only list of events and an offset is a name for a position in it.
Every poll claims three things: that the events it returned stand at its offset's position, that its `next_offset`
names the position behind them, and (by a status other than `running`) that nothing will follow. Two claims that cannot
both be true are a violation, and the two polls that made them are its proof. Offsets are opaque: nothing here counts
with them, or asks that they grow.

A server need not keep events for ever. Whoever polls at the pace of the published clients asks with an offset that
was just given out, and stops at the first final status: what such a poll lacks is lost. What only a later one lacks is
gone.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

RUNNING: Final = "running"
"""The one status on which every published client goes on polling."""

_FRESH = 1.0
"""Seconds for which an offset is asked with by clients: they come back after half of one."""
_KEPT_EVENTS = 100
"""Events with which a poll is kept as evidence."""


class Poll(NamedTuple):
    """One answered poll. Times are seconds of one monotonic clock. A tuple, since load makes thousands a second."""

    asked: int
    """The offset in the request: 0, or a `next_offset` of this task."""
    sent_at: float
    received_at: float
    status: str
    events: Sequence[Any]
    next_offset: int | None
    """None where the answer had none that can be used: then the poll claims nothing about offsets."""
    reader: str = ""
    """Who asked, for the report."""
    number: int = 0
    """Its place among the caller's records, for the report."""


@dataclass(frozen=True, slots=True)
class Violation:
    """Two polls that contradict each other; one poll twice where it contradicts itself."""

    requirement: str
    rule: str
    """Which of the oracle's rules it is, in a word."""
    sentence: str
    polls: tuple[Poll, Poll]


class _Known(NamedTuple):
    """A position, and the poll that first told of it."""

    position: int
    poll: Poll | None


class TaskHistory:
    """The polls of one task so far, and the only log that they allow.

    Feed it every answered poll in the order of reception; it answers with the violations that each one adds.
    """

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.status = RUNNING
        self._shown_by: list[Poll] = []
        self._offsets: dict[int, _Known] = {0: _Known(0, None)}
        self._told_at: dict[int, float] = {}
        """When each offset was last given out; the first one when it was first asked with."""
        self._read_at: dict[int, float] = {}
        """When somebody first had an answer with events to each offset."""
        self._final: Poll | None = None
        self._final_start = 0
        self._final_end = 0
        self._ends_with_events = False
        self._unplaced: list[Poll] = []
        """Late polls that tell of an end, of which nobody knows yet how far it is from where they asked."""

    @property
    def is_final(self) -> bool:
        """Whether a final status has been seen."""
        return self._final is not None

    @property
    def set_aside(self) -> int:
        """How many late polls wait for their place in the log to be known."""
        return len(self._unplaced)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Every offset that was given out, and 0, in the order of the log; a poll with any other is not judged."""
        return tuple(sorted(self._offsets, key=lambda offset: self._offsets[offset].position))

    @property
    def end_offset(self) -> int:
        """The offset behind everything that was returned."""
        return self.offsets[-1]

    @property
    def offsets_grow(self) -> bool:
        """Whether a later position has a larger offset, as far as was seen: then there are offsets behind the end."""
        return all(one < other for one, other in itertools.pairwise(self.offsets))

    @property
    def counts_events(self) -> bool:
        """Whether every offset so far is the number of events before it; nothing is judged by that."""
        return all(offset == known.position for offset, known in self._offsets.items())

    def observe(self, poll: Poll) -> tuple[Violation, ...]:
        """Add a poll. A poll that asked with an offset that was never given out claims nothing and is passed over."""
        known = self._offsets.get(poll.asked)
        if known is None:
            return ()
        self._told_at.setdefault(poll.asked, poll.sent_at)
        fresh = self._is_fresh(poll)
        if not fresh and self._may_begin_later(poll, known.position):
            self._unplaced.append(poll)
            return ()
        found = self._judged(poll, known.position, fresh)
        if self._unplaced and any(late.next_offset in self._offsets for late in self._unplaced):
            return (*found, *self.place_late())
        return found

    def place_late(self) -> tuple[Violation, ...]:
        """The violations of late polls that were set aside until more of the log was known."""
        late, self._unplaced = self._unplaced, []
        judged = (self._judged(poll, self._offsets[poll.asked].position, fresh=False) for poll in late)
        return tuple(itertools.chain.from_iterable(judged))

    def conclude(self) -> tuple[Violation, ...]:
        """What only the whole log shows: late polls that fit nowhere, and text that came as a growing whole."""
        late = self.place_late()
        repeated = cumulative_chunk(self.log)
        if repeated is None:
            return late
        sentence = f"event {repeated} holds the text of the chunks before it again: content must be increments"
        poll = self._shown_by[repeated]
        return (*late, Violation("POLL-6", "cumulative", sentence, (poll, poll)))

    def _judged(self, poll: Poll, start: int, fresh: bool) -> tuple[Violation, ...]:
        gone: tuple[Violation, ...] = ()
        if not fresh and (kept := self._kept_from(poll, start)) is not None:
            gone, start = (self._gone(poll, start, kept),), kept
        broken = self._place(poll, start) if start < len(self.log) else None
        found = (broken,) if broken else self._claims(poll, start, start + len(poll.events))
        return gone + found if gone else found

    def _may_begin_later(self, poll: Poll, start: int) -> bool:
        """Whether a late poll may be the first to tell of an end, with its last events or none: the others are gone."""
        unknown = poll.next_offset is not None and poll.next_offset not in self._offsets
        return unknown and poll.status != RUNNING and (not poll.events or self._place(poll, start) is not None)

    def _claims(self, poll: Poll, start: int, end: int) -> tuple[Violation, ...]:
        grown = end > len(self.log)
        if grown:
            self.log.extend(poll.events[len(self.log) - start :])
        poll = _light(poll)
        if end > start:
            self._read_at.setdefault(poll.asked, poll.received_at)
        if grown:
            self._shown_by.extend([poll] * (end - len(self._shown_by)))
        offset = self._offset_claim(poll, start, end)
        is_ordinary = poll.status == RUNNING and self._final is None
        status = None if is_ordinary else self._status_claim(poll, start, end, grown)
        return tuple(filter(None, (offset, status))) if offset or status else ()

    def _place(self, poll: Poll, start: int) -> Violation | None:
        """Compare what was returned with what is known to stand there."""
        for index in range(start, min(start + len(poll.events), len(self.log))):
            if not same_event(self.log[index], poll.events[index - start]):
                rule, told = _difference(self.log, start, poll.events)
                sentence = f"event {index} {told}: from={poll.asked} now returns other events than were returned before"
                return Violation("POLL-5", rule, sentence, (self._shown_by[index], poll))
        return None

    def _is_fresh(self, poll: Poll) -> bool:
        """Whether a published client could have sent it, and no other before it.

        Its offset was just given out, no end was seen yet, and what tells it of an end now was not read there before.
        """
        over = self._final is not None and poll.sent_at >= self._final.received_at
        again = poll.status != RUNNING and poll.sent_at > self._read_at.get(poll.asked, math.inf)
        return not over and not again and poll.sent_at - self._told_at[poll.asked] <= _FRESH

    def _kept_from(self, poll: Poll, start: int) -> int | None:
        """From which event on the log is still there for a reader who comes late; None where nothing is gone."""
        if start >= len(self.log):
            return None
        named = self._offsets.get(poll.next_offset) if poll.next_offset is not None else None
        if not poll.events:
            behind = named.position if named is not None else start
            return behind if behind > start else len(self.log) if poll.status != RUNNING else None
        if same_event(self.log[start], poll.events[0]):
            return None
        places = range(start + 1, len(self.log))
        if named is not None:
            at = named.position - len(poll.events)
            places = range(at, at + 1) if at in places else range(0)
        return next((at for at in places if self._continues(poll.events, at)), None)

    def _continues(self, events: Sequence[Any], at: int) -> bool:
        known = self.log[at : at + len(events)]
        return all(same_event(one, other) for one, other in zip(known, events, strict=False))

    def _gone(self, poll: Poll, start: int, kept: int) -> Violation:
        sentence = f"of the events behind from={poll.asked}, {kept - start} are gone for a reader who comes late"
        return Violation("POLL-13", "gone", sentence, (self._shown_by[start], poll))

    def _offset_claim(self, poll: Poll, start: int, end: int) -> Violation | None:
        asked, following = poll.asked, poll.next_offset
        if following is None:
            return None
        named = self._offsets.get(following)
        self._told_at[following] = poll.received_at
        if named is None:
            self._offsets[following] = _Known(end, poll)
        if end > start and following == asked:
            sentence = f"next_offset stayed {asked} although {end - start} events were returned: they come again"
            return Violation("POLL-5", "stuck", sentence, (poll, poll))
        if named is not None and named.position != end:
            return _two_places(poll, named, end)
        if end == start and following != asked and asked:  # a log may begin at another than 0
            sentence = f"next_offset went from {asked} to {following} although no event was returned"
            return Violation("POLL-12", "drift", sentence, (poll, poll))
        return None

    def _status_claim(self, poll: Poll, start: int, end: int, grown: bool) -> Violation | None:
        final, found = self._final, None
        if final is not None and poll.status != final.status:
            found = self._changed_status(poll, final, start, end, grown)
        elif final is not None and grown:
            sentence = f"status was {final.status} already, and {end - self._final_end} more events came after it"
            found = Violation("POLL-8", "after the end", sentence, (final, poll))
        elif poll.status != RUNNING and end < len(self.log):
            sentence = (
                f"status is {poll.status}, but {len(self.log) - end} events that other polls returned are missing"
            )
            found = Violation("POLL-8", "cut", sentence, (self._shown_by[end], poll))
        if poll.status != RUNNING:
            self._note_final(poll, start, end)
        return found

    def _changed_status(self, poll: Poll, final: Poll, start: int, end: int, grown: bool) -> Violation | None:
        if poll.status != RUNNING:
            sentence = f"status was {final.status} and then {poll.status}: a final status must not change"
        elif grown:
            sentence = f"status was {final.status}, every client stopped there, and the task still ran on"
        elif poll.sent_at >= final.received_at and self._must_be_final(start, end):
            return Violation("POLL-7", "flap", f"status was {final.status} and is {RUNNING} again", (final, poll))
        else:
            return None
        self._final = None
        return Violation("POLL-7", "flap", sentence, (final, poll))

    def _must_be_final(self, start: int, end: int) -> bool:
        """Whether a `running` after the end cannot be a page of a server that pages, nor one that ends on no events.

        A server may answer `running` while events remain behind the page, or end only with a poll that returns none;
        what it answered before tells which of the two it can still be.
        """
        if start >= self._final_start:
            return True
        return end >= len(self.log) and self._ends_with_events

    def _note_final(self, poll: Poll, start: int, end: int) -> None:
        if self._final is None:
            self._final, self._final_start, self._final_end, self.status = poll, start, end, poll.status
        self._final_start = min(self._final_start, start)
        self._ends_with_events = self._ends_with_events or end > start


def _two_places(poll: Poll, named: _Known, end: int) -> Violation:
    sentence = (
        f"next_offset {poll.next_offset} stands for event {end} here and for event {named.position} elsewhere: "
        "events are lost or repeated between two readers"
    )
    return Violation("POLL-5", "offset", sentence, (named.poll or poll, _light(poll)))


def _light(poll: Poll) -> Poll:
    """The poll as evidence: what it returned stands in the log, and a log that is read often must not be kept often."""
    return poll._replace(events=()) if len(poll.events) > _KEPT_EVENTS else poll


def judge(polls: Iterable[Poll]) -> tuple[Violation, ...]:
    """All violations in the poll history of one task, whoever polled and in whatever overlap."""
    history = TaskHistory()
    found = [
        violation for poll in sorted(polls, key=lambda poll: poll.received_at) for violation in history.observe(poll)
    ]
    return (*found, *history.conclude())


def essence(event: Any) -> str:
    """What makes an event the same event: its `type` and `data`. Other keys are the server's own and may vary."""
    if isinstance(event, dict) and "type" in event:
        event = [event["type"], event.get("data")]
    try:
        return json.dumps(event, sort_keys=True)
    except RecursionError:
        return "nested deeper than any client reads"


def same_event(one: Any, other: Any) -> bool:
    """Whether two readings of a position hold the same event."""
    return one is other or essence(one) == essence(other)


def chunk_text(event: Any) -> str | None:
    """What a client prints of this event; None for every event that is no well-formed text_chunk."""
    if not isinstance(event, dict) or event.get("type") != "text_chunk":
        return None
    data = event.get("data")
    content = data.get("content") if isinstance(data, dict) else None
    return content if isinstance(content, str) else None


def cumulative_chunk(events: Iterable[Any]) -> int | None:
    """The index of the first event whose text repeats all the text before it, if that cannot be chance.

    Either four chunks in a row (three if there are no others) each begin with the whole of the one before, or a chunk
    behind at least two others begins with everything that they said, and that is eight characters or more.
    """
    texts = [(index, text) for index, event in enumerate(events) if (text := chunk_text(event))]
    needed = min(len(texts), 4)
    said: list[str] = []
    length, before, run = 0, "", 1
    for count, (index, text) in enumerate(texts):
        run = run + 1 if before and len(text) > len(before) and text.startswith(before) else 1
        may_repeat = count >= 2 and 8 <= length <= len(text)  # or the text before it would be put together in vain
        if run >= max(needed, 3) or (may_repeat and text.startswith("".join(said))):
            return index
        said.append(text)
        length, before = length + len(text), text
    return None


def _difference(log: Sequence[Any], start: int, events: Sequence[Any]) -> tuple[str, str]:
    """In a word and a few, how what was returned differs from what is known to stand there."""
    known = [essence(event) for event in log[start:]]
    given = [essence(event) for event in events]
    first = next(index for index, (one, other) in enumerate(zip(known, given, strict=False)) if one != other)
    if _begins_alike(known[first + 1 :], given[first:]) or _begins_alike(known[first:], given[first + 1 :]):
        return "gap", "is in one answer and missing in the other"
    if given[first] in known[:first] or given[first] in (essence(event) for event in log[:start]):
        return "repeat", "came again"
    if sorted(given[: len(known)]) == sorted(known[: len(given)]):
        return "order", "stands in another order"
    return "rewrite", "is not what it was"


def _begins_alike(one: Sequence[str], other: Sequence[str]) -> bool:
    shared = min(len(one), len(other))
    return shared > 0 and list(one[:shared]) == list(other[:shared])
