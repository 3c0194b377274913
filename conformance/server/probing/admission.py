"""How many tasks are begun at once: one at first, then more as long as the server runs them side by side.

A server that refuses a message because another task runs, or lets it wait, is asked for no more than it takes. Where
the user named no workspace, another one is tried: then the limit holds of a workspace, and several are used.
"""

from __future__ import annotations

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.server.probing.in_flight import Flight, InFlight, waited
from sendpoll.core.target.traits import Beyond, Scope, TaskLimit, Traits

MOST = 16
"""Tasks that are ever begun at once: more would be a load test."""
_LANES = 8
"""Workspaces that are used at once, where each has a limit of its own."""
_SURELY_WAITING = 2.0
"""Seconds without any event after which a task may be waiting for another one."""
_USUALLY = 3.0
"""How many times as long as others a task may take to its first event before it is taken for one that waits."""
_LOOK = 0.2
"""Seconds between two looks at what else may have changed."""


class _Holds(Enum):
    """What is known of what a limit holds of."""

    UNKNOWN = "no limit was met"
    TRYING = "a limit was met, and another workspace is being tried"
    WORKSPACE = "another workspace has a limit of its own"
    ALL = "another workspace does not help, or may not be used"


class Admission:
    """Whose turn it is to send a message, and in which workspace. Safe for several threads."""

    def __init__(self, in_flight: InFlight, lanes: Callable[[int], str], declared: Traits, *, spread: bool) -> None:
        """`lanes` names the workspace of each number; `spread` is whether others than the first may be used."""
        self._in_flight = in_flight
        self._changed = in_flight.changed
        self._lane_name = lanes
        self._spread = spread
        self._waiting: list[tuple[int, int]] = []
        self._numbers = itertools.count()
        self._tickets: Counter[int] = Counter()
        """Lane to the messages that are being sent in it."""
        self._most = 1
        self._per_lane: int | None = None
        self._capped = False
        self._holds = _Holds.UNKNOWN
        self._is_queue = False
        """Whether a task was seen to begin behind the end of another one that it waited for."""
        self._suspect: Flight | None = None
        """A task that seems to wait for another one."""
        self.proved = 0
        """Tasks that were seen to run at the same time."""
        self.proof = ""
        """Which they were."""
        self._limits: dict[Scope, TaskLimit] = {}
        self.evidence: dict[Scope, str] = {}
        self._declare(declared)
        in_flight.on_news(self._news)

    def _declare(self, declared: Traits) -> None:
        for limit in declared.limits:
            if limit.scope is Scope.WORKSPACE:
                self._per_lane, self._holds = limit.most, _Holds.WORKSPACE
            elif limit.scope is not Scope.CONVERSATION:
                self._most, self._capped = min(limit.most, MOST), True

    @property
    def at_once(self) -> int:
        """How many tasks run at once, as far as is known."""
        if not self._spread and self._per_lane is not None:
            return min(self._most, self._per_lane)
        return self._most if self._capped else max(1, self.proved)

    @property
    def limits(self) -> dict[Scope, TaskLimit]:
        """The limits that were met; of one that lets tasks wait, only once such a one was seen to begin."""
        certain = (Beyond.REFUSED, Beyond.QUEUED) if self._is_queue else (Beyond.REFUSED,)
        return {scope: limit for scope, limit in self._limits.items() if limit.beyond in certain}

    # ---- turns ----

    @contextlib.contextmanager
    def turn(self, priority: int, pause: Callable[[float], None]) -> Iterator[str]:
        """Wait for a turn, and hold it while the message is sent: the workspace to send it in.

        The task that comes of it holds its place until it is over. `pause` waits, and raises where the run is over.
        """
        lane = self._wait(priority, pause)
        try:
            yield self._lane_name(lane)
        finally:
            with self._changed:
                self._tickets[lane] -= 1
                self._changed.notify_all()

    def _wait(self, priority: int, pause: Callable[[float], None]) -> int:
        mine = (priority, next(self._numbers))
        with self._changed:
            self._waiting.append(mine)
        try:
            while True:
                with self._changed:
                    lane = self._free_lane() if min(self._waiting) == mine else None
                    if lane is not None:
                        self._tickets[lane] += 1
                        return lane
                    self._changed.wait(_LOOK)
                pause(0.0)
        finally:
            with self._changed:
                self._waiting.remove(mine)
                self._changed.notify_all()

    def _free_lane(self) -> int | None:
        if len(self._in_flight.running()) + self._tickets.total() >= self._most:
            return None
        lanes = {_Holds.TRYING: 2, _Holds.WORKSPACE: _LANES if self._spread else 1}.get(self._holds, 1)
        return next((lane for lane in range(lanes) if self._has_room(lane)), None)

    def _has_room(self, lane: int) -> bool:
        there = len(self._in_flight.running(self._lane_name(lane))) + self._tickets[lane]
        return self._per_lane is None or there < self._per_lane

    # ---- what is learnt ----

    def _news(self, flight: Flight) -> None:
        """A task was polled: see how many run side by side, and whether it waits for another."""
        together = self._in_flight.together()
        if len(together) > self.proved:
            self.proved, self.proof = len(together), _names(together)
        if flight.began_at is None:
            self._see_waiting(flight)
        if self._suspect is not None and waited(self._suspect) is not None:
            self._see_begun(self._suspect)
        self._see_beside()
        running = [other for other in self._in_flight.running() if other.began_at is not None]
        has_ended = flight.ended_at is not None and flight.ended_at == flight.polled_at
        if not self._capped and (has_ended or len(running) >= self._most):
            self._most = min(MOST, self._most + 1 if has_ended else 2 * self._most)

    def _see_waiting(self, flight: Flight) -> None:
        age = self._in_flight.clock() - flight.sent_at
        usual = max(self._in_flight.first_events(), default=None)
        moved = [
            other for other in self._in_flight.running() if other.running_until > flight.sent_at and other.began_at
        ]
        if self._suspect is None and moved and usual is not None and age > max(_SURELY_WAITING, _USUALLY * usual):
            self._suspect = flight
            told = f"task {flight.task_id} (#{flight.number}) showed nothing for {age:.0f} s while {_names(moved)} ran"
            self._congested(flight.workspace, moved, Beyond.QUEUED, None, told)

    def _see_begun(self, flight: Flight) -> None:
        """A task that seemed to wait began: behind another's end, or it had only been slow."""
        self._suspect = None
        if waited(flight):
            self._is_queue = True
        else:
            self._capped, self._per_lane, self._holds = False, None, _Holds.UNKNOWN
            self._most = max(self._most, self.proved)
            self._limits = {scope: found for scope, found in self._limits.items() if found.beyond is not Beyond.QUEUED}

    def _see_beside(self) -> None:
        """Where another workspace is being tried: whether a task of it ran beside one of the first."""
        other = self._lane_name(1)
        tried = [flight for flight in self._in_flight.flights.values() if flight.workspace == other]
        if self._holds is _Holds.TRYING and any(_ran_beside(flight) for flight in tried):
            self._holds = _Holds.WORKSPACE

    def refused(self, workspace: str, exchange: Exchange) -> None:
        """A message was refused while tasks of this run ran; it will be sent again."""
        with self._changed:
            running = self._in_flight.running()
            told = f"#{exchange.number} {exchange.outcome} while {_names(running)} ran"
            self._congested(workspace, running, Beyond.REFUSED, exchange.status, told)

    def _congested(self, workspace: str, running: list[Flight], beyond: Beyond, status: int | None, told: str) -> None:
        here = [flight for flight in running if flight.workspace == workspace]
        if self._holds is _Holds.UNKNOWN and self._spread and not self._capped:
            self._holds, self._per_lane = _Holds.TRYING, max(1, len(here))
            self._most = max(self._most, len(running) + 1)
            scope, most = Scope.WORKSPACE, self._per_lane
        elif self._holds is not _Holds.ALL and self._per_lane is not None and len(here) >= self._per_lane:
            return  # it came before a task of this workspace was known to be under way
        else:
            if self._holds is not _Holds.WORKSPACE:
                self._holds, self._per_lane = _Holds.ALL, None
                self._limits.pop(Scope.WORKSPACE, None)
            self._most, self._capped = max(1, len(running)), True
            scope, most = Scope.ALL, self._most
        self._limits[scope] = TaskLimit(scope, most, beyond, status)
        self.evidence[scope] = told


def _ran_beside(flight: Flight) -> bool:
    """Whether a task is known to have run while one of another workspace did that had begun before it."""
    began = flight.began_at
    others = [other for other in flight.behind if other.workspace != flight.workspace]
    running = [other for other in others if other.began_at is not None and other.began_at <= (began or 0.0)]
    return began is not None and any(other.running_until >= began for other in running)


def _names(flights: list[Flight]) -> str:
    shown = ", ".join(flight.task_id for flight in flights[:3])
    return f"task {shown}" if len(flights) == 1 else f"tasks {shown}{' and others' if len(flights) > 3 else ''}"
