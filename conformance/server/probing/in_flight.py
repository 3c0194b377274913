"""The tasks of this run that are not over, as every answer tells of them: which move, which wait, which are stuck."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote

from sendpoll.conformance.http.exchange import Exchange, Intent, Request
from sendpoll.conformance.rules.predicates import events_of, poll_data
from sendpoll.conformance.server.probing.created_resources import asked_for, identifier
from sendpoll.conformance.server.probing.task_paths import polled
from sendpoll.core.oracle import RUNNING

_POSTED = re.compile(r"/api/v1/workspaces/([^/?]*)/messages")
SILENT_PATIENCE = 2.0
"""How much longer a task may show nothing at all than stand still, where nothing else of this run runs."""
_MOMENTS = 8
"""Moments of one task, about, at which all its readers look."""
_UNREAD = 2.0
"""Seconds after which a task that a message waits for is asked after, if nobody else does; longer where it is old."""
_LOOKS = 30
"""Times that such a task is asked after, about, until it is over."""
_USUAL = 3.0
"""How many times as long as the longest that was seen a task may take for the same."""


@dataclass(slots=True)
class Flight:
    """One task, from its message to its end; moments of the monotonic clock."""

    task_id: str
    workspace: str
    conversation: str
    number: int
    """The exchange of its message."""
    sent_at: float
    began_at: float | None = None
    """When its first event was seen, or its end."""
    moved_at: float = 0.0
    ended_at: float | None = None
    moment_at: float = 0.0
    """When it last moved in a way that is worth a look of all its readers."""
    polled_at: float = 0.0
    polls: int = 0
    running_until: float = 0.0
    """When the last poll was sent that said that it runs: it ran then."""
    status: str = RUNNING
    longest_pause: float = 0.0
    """The longest that it was seen to stand still between two events."""
    behind: tuple[Flight, ...] = ()
    """The tasks that ran while this one waited."""
    gone_after: float | None = None
    """Seconds after its end at which the server had forgotten it, where that was seen."""
    left_alone: bool = False
    """Whether a check wants that nobody asks after it."""
    _cursors: set[object] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        """Whether a final status was seen."""
        return self.ended_at is not None

    def news(self, exchange: Exchange) -> bool:
        """Take in an answered poll; whether the task moved since the last one."""
        data = poll_data(exchange)
        before, now = self.polled_at, exchange.timing.finished
        self.polled_at, self.polls = now, self.polls + 1
        status = (data or {}).get("status")
        if status == RUNNING:
            self.running_until = max(self.running_until, exchange.timing.started)
        cursor = str((data or {}).get("next_offset"))
        ended = isinstance(status, str) and status != RUNNING and not self.is_over
        grew = bool(events_of(exchange)) and cursor not in self._cursors
        if not (ended or grew):
            return False
        self._cursors.add(cursor)
        if self.began_at is None:
            self.began_at = now
        else:
            self.longest_pause = max(self.longest_pause, before - self.moved_at)
        self.moved_at = now
        if ended or now - self.moment_at >= (now - self.sent_at) / _MOMENTS:
            self.moment_at = now
        if ended:
            self.ended_at, self.status = now, str(status)
        return True


class InFlight:
    """Notes every message and every poll of a run. Safe for several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.changed = threading.Condition()
        """Notified whenever a task moves, ends, or is added."""
        self.without_conversation: Exchange | None = None
        """What was answered to a message that left conversation_id out."""
        self.flights: dict[str, Flight] = {}
        self._listeners: list[Callable[[Flight], None]] = []

    def on_news(self, listener: Callable[[Flight], None]) -> None:
        """Call this whenever a task moves or is polled in vain, with the condition held."""
        self._listeners.append(listener)

    def note(self, exchange: Exchange) -> None:
        """Take in any exchange."""
        operation = exchange.request.operation
        if operation == "sendMessage" and exchange.status and _leaves_conversation_out(exchange.request):
            self.without_conversation = exchange.trimmed()
        is_odd = exchange.request.intent is Intent.PROBE
        if operation == "pollTask" and exchange.status in {404, 410} and not is_odd:
            self._note_gone(exchange)
        if not exchange.ok:
            return
        with self.changed:
            if operation == "sendMessage" and exchange.request.method == "POST":
                self._add(exchange)
            elif operation == "pollTask":
                flight = polled(exchange.request.target, self.flights)
                if flight is not None:
                    flight.news(exchange)
                    for listener in self._listeners:
                        listener(flight)
                    self.changed.notify_all()

    def _note_gone(self, exchange: Exchange) -> None:
        """A poll says that a task is not there: if it came to its end before, the server has forgotten it."""
        flight = polled(exchange.request.target, self.flights)
        if flight is not None and flight.ended_at is not None and flight.ended_at < exchange.timing.started:
            flight.gone_after = flight.gone_after or exchange.timing.started - flight.ended_at

    def _add(self, exchange: Exchange) -> None:
        task_id = identifier(exchange, "task_id")
        if task_id is None or task_id in self.flights:
            return
        sent_at = exchange.timing.started
        self.flights[task_id] = Flight(
            task_id,
            workspace_of(exchange.request),
            asked_for(exchange.request, "conversation_id") or "",
            exchange.number,
            sent_at,
            moved_at=sent_at,
            behind=tuple(self.running()),
        )
        self.changed.notify_all()

    def running(self, workspace: str | None = None) -> list[Flight]:
        """The tasks that are not known to be over, of one workspace or of all."""
        found = [flight for flight in list(self.flights.values()) if not flight.is_over]
        return [flight for flight in found if workspace is None or flight.workspace == workspace]

    def over(self) -> list[Flight]:
        """Those that came to their end."""
        return [flight for flight in list(self.flights.values()) if flight.is_over]

    def forget(self, flight: Flight) -> None:
        """No longer count a task that will not be seen to end."""
        with self.changed:
            self.flights.pop(flight.task_id, None)
            self.changed.notify_all()

    # ---- patience ----

    def stuck_for(self, task_id: str, patience: float) -> float | None:
        """Seconds for which a task has been stuck, where that is longer than patience allows; None while it is not.

        A task that began is stuck when it stands still; one that waits is queued while others of this run move or end,
        and is stuck where nothing else runs. Either may take some times as long as others of this run were seen to.
        """
        flight = self.flights.get(task_id)
        if flight is None or flight.is_over:
            return None
        now = self.clock()
        others = [other for other in list(self.flights.values()) if other is not flight]
        if flight.began_at is not None:
            usual = max((other.longest_pause for other in (*others, flight)), default=0.0)
            still, allowed = now - flight.moved_at, max(patience, _USUAL * usual)
        else:
            last = max((other.moved_at for other in others), default=0.0)
            still = now - max(flight.sent_at, last)
            allowed = max(SILENT_PATIENCE * patience, *(_USUAL * wait for wait in self.first_events()), 0.0)
        return still if still >= allowed else None

    def first_events(self) -> list[float]:
        """Seconds to the first event of the tasks that had to wait for no other."""
        return [
            flight.began_at - flight.sent_at
            for flight in list(self.flights.values())
            if flight.began_at is not None and waited(flight) is False
        ]

    def seconds(self) -> list[float]:
        """Seconds that each task took which came to its end, counted from when it was seen to begin.

        Of one that waited, and of which the first that was seen was its end, nobody knows.
        """
        return [
            flight.ended_at - (flight.began_at if waited(flight) else flight.sent_at)
            for flight in self.over()
            if flight.ended_at is not None
            and flight.began_at is not None
            and not (waited(flight) and flight.began_at == flight.ended_at)
        ]

    def seconds_to_an_end(self) -> float:
        """Seconds, about, until a running task is over: by what others took, or where none ended as long as it runs.

        One that has taken longer than all others may take that much longer again.
        """
        now, took = self.clock(), max(self.seconds(), default=0.0)
        ages = [now - (flight.began_at or flight.sent_at) for flight in self.running()]
        return min((abs(took - age) for age in ages), default=0.0)

    def longest_running(self) -> float:
        """Seconds for which the oldest task that was seen to begin, or has nothing before it, has been running."""
        now = self.clock()
        begun = (flight.began_at if flight.behind else flight.sent_at for flight in self.running())
        return max((now - moment for moment in begun if moment is not None), default=0.0)

    def together(self) -> list[Flight]:
        """The most tasks that are known to have run at the same time."""
        flights = [flight for flight in list(self.flights.values()) if flight.began_at is not None]
        at = [
            [other for other in flights if (other.began_at or 0.0) <= moment <= other.running_until]
            for moment in (flight.began_at or 0.0 for flight in flights)
        ]
        return max(at, key=len, default=[])

    def unread(self) -> Iterator[Flight]:
        """Running tasks that nobody has asked after for a while, and that may be asked after."""
        now = self.clock()
        for flight in self.running():
            silence = max(_UNREAD, (now - flight.sent_at) / _LOOKS)
            if not flight.left_alone and now - max(flight.polled_at, flight.sent_at) >= silence:
                yield flight


def _leaves_conversation_out(request: Request) -> bool:
    try:
        body = json.loads(request.body or b"")
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and "conversation_id" not in body and isinstance(body.get("message"), str)


def waited(flight: Flight) -> bool | None:
    """Whether a task began only when one that ran before it was over; None while that is not known.

    An end is seen later than it comes, so that only a poll which was sent behind a beginning says what ran beside it.
    """
    began = flight.began_at
    if began is None:
        return None
    before = [other for other in flight.behind if other.began_at is not None and other.began_at <= began]
    gone = [other for other in before if other.running_until < began]
    if not gone:
        return False
    return True if all(other.is_over for other in gone) else None


def workspace_of(request: Request) -> str:
    """The workspace into which a message is sent."""
    match = _POSTED.match(request.target)
    return unquote(match.group(1)) if match else ""
