"""A simple model of a server's log and its readers, and the single faults that can be put into what they saw.

The model keeps what the oracle may not assume: the true log, and which position an offset means.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from hypothesis import strategies as st

from sendpoll.core.oracle import Poll

FINAL = "completed"


@dataclass(frozen=True)
class Server:
    """How a right server answers."""

    steps: Sequence[int] = (1,)
    """By how much the offset grows with each event in turn; (1,) counts events."""
    page: int | None = None
    """Most events of one answer."""
    ends_empty: bool = False
    """Whether it says the final status only with an answer that brings no event."""

    def offset(self, position: int) -> int:
        return sum(itertools.islice(itertools.cycle(self.steps), position))


class World:
    """One task on that server, and everything that its readers were answered."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.log: list[Any] = []
        self.finished = False
        self.polls: list[Poll] = []
        self.now = 0.0
        self._positions: dict[str, int] = {}
        self._busy: dict[str, float] = {}

    def append(self, event: Any) -> None:
        self.now += 1
        if not self.finished:
            self.log.append(event)

    def finish(self) -> None:
        self.now += 1
        self.finished = True

    def poll(self, reader: str, *, restart: bool = False, before: float = 0.1, behind: float = 0.1) -> Poll | None:
        """Answer a poll now, that was sent so long before and is received so long after; none while one is open."""
        self.now += 1
        if self._busy.get(reader, 0.0) > self.now:
            return None
        start = 0 if restart else self._positions.get(reader, 0)
        end = len(self.log) if self.server.page is None else min(len(self.log), start + self.server.page)
        is_end = self.finished and end == len(self.log) and not (self.server.ends_empty and end > start)
        poll = Poll(
            asked=self.server.offset(start),
            sent_at=max(self.now - before, self._busy.get(reader, 0.0)),
            received_at=self.now + behind,
            status=FINAL if is_end else "running",
            events=self.log[start:end],
            next_offset=self.server.offset(end),
            reader=reader,
            number=len(self.polls) + 1,
        )
        self.polls.append(poll)
        self._positions[reader] = end
        self._busy[reader] = poll.received_at
        return poll

    def read_to_end(self, reader: str, *, restart: bool = False, again: int = 1) -> None:
        """Poll until the final status, and some times more."""
        self._busy.pop(reader, None)
        first = self.poll(reader, restart=restart)
        while first is None or first.status == "running":
            first = self.poll(reader)
        for _ in range(again):
            self.poll(reader)


SERVERS = st.builds(
    Server,
    steps=st.one_of(st.just((1,)), st.lists(st.integers(1, 50), min_size=1, max_size=5).map(tuple)),
    page=st.one_of(st.none(), st.integers(1, 4)),
    ends_empty=st.booleans(),
)
TEXTS = st.sampled_from(["a", "b", "你", "🎉", " ", "", "word "])


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A task that is read by several readers while it runs, in any overlap, and by all of them to its end."""
    world = World(draw(SERVERS))
    number = itertools.count()
    actions = draw(st.lists(st.sampled_from(["append", "append", "poll", "poll", "restart"]), min_size=4, max_size=30))
    for action in actions:
        if action == "append":
            world.append(_event(next(number), draw(TEXTS)))
            world.poll("eager", before=0.4, behind=0.4)
        else:
            reader = draw(st.sampled_from(["one", "two", "three"]))
            before, behind = draw(st.floats(0, 5)), draw(st.floats(0, 5))
            world.poll(reader, restart=action == "restart", before=before, behind=behind)
    world.finish()
    world.now += 10
    for reader in ("one", "two", "eager"):
        world.read_to_end(reader)
    for reader in ("late", "later"):
        world.read_to_end(reader, restart=True, again=2)
    return world


def _event(number: int, text: str) -> dict[str, Any]:
    if number % 4 == 3:
        return {"type": "tool", "data": {"call": number}}
    return {"type": "text_chunk", "data": {"content": f"{text}{number} "}}


# ---- faults ----

Fault = Callable[[World, Poll], "Poll | None"]
"""One answer as a faulty server would have given it; None where the fault has no place in it."""


def _changed(poll: Poll, **changes: Any) -> Poll:
    return poll._replace(**changes)


def _position(world: World, poll: Poll) -> int:
    return next(place for place in range(len(world.log) + 1) if world.server.offset(place) == poll.asked)


def _end(world: World, poll: Poll) -> int:
    return _position(world, poll) + len(poll.events)


def _dropped(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, events=poll.events[1:]) if poll.events else None


def _dropped_inside(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, events=[*poll.events[:1], *poll.events[2:]]) if len(poll.events) > 2 else None


def _repeated(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, events=[*poll.events[:1], *poll.events]) if poll.events else None


def _repeated_last(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, events=[*poll.events, poll.events[-1]]) if poll.events else None


def _reordered(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, events=[*poll.events[1::-1], *poll.events[2:]]) if len(poll.events) > 1 else None


def _rewritten(_: World, poll: Poll) -> Poll | None:
    changed = {"type": "text_chunk", "data": {"content": "other"}}
    return _changed(poll, events=[changed, *poll.events[1:]]) if poll.events else None


def _retyped(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, events=[{**poll.events[0], "type": "other"}, *poll.events[1:]]) if poll.events else None


def _foreign(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, events=[{"type": "text_chunk", "data": {"content": "of another task"}}, *poll.events])


def _back(world: World, poll: Poll) -> Poll | None:
    """To a position that another poll has named."""
    before = max(0, _position(world, poll) - 1)
    offset = world.server.offset(before)
    named = poll.asked and any(other.asked == offset for other in world.polls)
    return _changed(poll, next_offset=offset) if named else None


def _stuck(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, next_offset=poll.asked) if poll.events else None


def _skipped(world: World, poll: Poll) -> Poll | None:
    end = _end(world, poll)
    return _changed(poll, next_offset=world.server.offset(end + 1)) if poll.events and end < len(world.log) else None


def _short(world: World, poll: Poll) -> Poll | None:
    if len(poll.events) < 2:
        return None
    return _changed(poll, next_offset=world.server.offset(_end(world, poll) - 1))


def _other_final(_: World, poll: Poll) -> Poll | None:
    return _changed(poll, status="failed") if poll.status == FINAL else None


def _running_again(world: World, poll: Poll) -> Poll | None:
    """A poll from the end, sent after somebody who stood there too had been told of it."""
    known = [
        other for other in world.polls
        if other.status == FINAL and other.received_at <= poll.sent_at and other.asked <= poll.asked
    ]  # fmt: skip
    return _changed(poll, status="running") if poll.status == FINAL and known else None


def _too_early(world: World, poll: Poll) -> Poll | None:
    return _changed(poll, status=FINAL) if poll.status == "running" and _end(world, poll) < len(world.log) else None


def _after_the_end(world: World, poll: Poll) -> Poll | None:
    late = poll.status == FINAL and any(
        other.status == FINAL and other.received_at < poll.received_at for other in world.polls
    )
    more = {"type": "text_chunk", "data": {"content": "too late"}}
    return _changed(poll, events=[*poll.events, more]) if late else None


def _tail_cut(world: World, poll: Poll) -> Poll | None:
    if poll.status != FINAL or not poll.events:
        return None
    shorter = world.server.offset(_end(world, poll) - 1)
    return _changed(poll, events=poll.events[:-1], next_offset=shorter)


def _drift(_: World, poll: Poll) -> Poll | None:
    """Not from the beginning, for a log may begin at any offset."""
    if poll.events or poll.next_offset is None or not poll.asked:
        return None
    return _changed(poll, next_offset=poll.next_offset + 1000)


Row = Literal["POLL-5", "POLL-7", "POLL-8", "POLL-12", "POLL-13"]
FAULTS: dict[str, tuple[Fault, frozenset[Row]]] = {
    "an event is dropped": (_dropped, frozenset({"POLL-5", "POLL-13"})),
    "an event inside is dropped": (_dropped_inside, frozenset({"POLL-5"})),
    "an event is repeated": (_repeated, frozenset({"POLL-5"})),
    "the last event is repeated": (_repeated_last, frozenset({"POLL-5"})),
    "two events change places": (_reordered, frozenset({"POLL-5"})),
    "an event is rewritten": (_rewritten, frozenset({"POLL-5"})),
    "an event changes its type": (_retyped, frozenset({"POLL-5"})),
    "an event of another task comes in": (_foreign, frozenset({"POLL-5", "POLL-13"})),
    "the offset goes back": (_back, frozenset({"POLL-5"})),
    "the offset stays": (_stuck, frozenset({"POLL-5"})),
    "the offset skips an event": (_skipped, frozenset({"POLL-5"})),
    "the offset falls short of an event": (_short, frozenset({"POLL-5"})),
    "the offset moves without an event": (_drift, frozenset({"POLL-12"})),
    "the final status changes": (_other_final, frozenset({"POLL-7"})),
    "the status is running again": (_running_again, frozenset({"POLL-7"})),
    "the status is final too early": (_too_early, frozenset({"POLL-7", "POLL-8"})),
    "an event comes after the end": (_after_the_end, frozenset({"POLL-8"})),
    "the end comes without the last event": (_tail_cut, frozenset({"POLL-8", "POLL-13"})),
}
"""Each fault, and the rows of which at least one must be told."""
