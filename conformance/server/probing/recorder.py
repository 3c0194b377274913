"""The one way to the target: every exchange of a run goes through here, bounded, counted and judged.

Bodies are judged when they come and then let go, so that a run's memory does not grow with what a server sends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from sendpoll.conformance.http.exchange import Exchange, Failure, Request, Response, Timing
from sendpoll.conformance.http.limits import HELD_LIMIT, KEPT_BYTES
from sendpoll.conformance.rules.predicates import says_too_fast
from sendpoll.conformance.rules.rules import observe
from sendpoll.conformance.rules.tally import Shown, Tally
from sendpoll.conformance.server.probing.created_resources import CreatedResources
from sendpoll.conformance.server.transport.connection import Answer, Connection, NoConnectionError
from sendpoll.core.target.target import Target

_KEPT_VIOLATIONS = 20
"""Violations of one requirement that are kept with their exchanges; the rest are counted."""
_LOST_AFTER = 3
"""Connections in a row that a target which answered before may refuse until it counts as gone."""
_TRIES = 6
"""Times that a request is sent before the answer that it comes too fast is taken for its answer."""
_SHORT_PATIENCE = 5.0
"""Seconds that an exchange may take once the server has left another unanswered for its whole deadline."""


class RunOverError(Exception):
    """The run's deadline has passed: nothing more is sent."""


class TargetLostError(Exception):
    """The target answered before and cannot be reached any more."""


class BudgetSpentError(Exception):
    """No further message may be sent in this run."""


def _retry_after(exchange: Exchange) -> float:
    """Seconds to wait before a request that came too fast is sent again."""
    told = exchange.response.header("retry-after") if exchange.response else None
    return min(5.0, float(told)) if told and told.isdecimal() else 0.5


class Recorder:
    """Sends requests and records what came of them. Safe for several threads."""

    def __init__(
        self, target: Target, *, started: float | None = None, on_exchange: Callable[[], None] | None = None
    ) -> None:
        self.target = target
        self._on_exchange = on_exchange
        self.started = time.monotonic() if started is None else started
        self.deadline = self.started + target.timeouts.run
        self.requests = 0
        self.messages = 0
        self.limited = 0
        """How often the server said that it was asked too fast."""
        self.ended_tasks: set[str] = set()
        """Tasks whose final status was seen: from then on their polls are late."""
        self.known_workspaces: set[str] = set()
        """Workspaces that the server has answered for: from then on they are ensured again."""
        self.created_resources = CreatedResources()
        self.lost: str = ""
        """Why the target counts as gone; empty while it does not."""
        self._reserved = 0
        self._patience = target.timeouts.exchange
        self._refused = 0
        self._answered = False
        self._tallies: dict[str, Tally] = defaultdict(Tally)
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._large = threading.Lock()
        """Held by the one exchange whose large answer comes."""
        self._judging = threading.Lock()
        """Held by the one exchange whose answer of some size is judged."""
        self._held = 0

    # ---- memory ----

    def hold(self, size: int) -> None:
        """Count so many bytes of memory that are kept until the end of the run."""
        with self._lock:
            self._held += size

    @property
    def is_full(self) -> bool:
        """Whether no more of what the target sends may be kept."""
        return self._held > HELD_LIMIT

    # ---- time and budget ----

    def remaining(self) -> float:
        """Seconds until the run is over."""
        return self.deadline - time.monotonic()

    def pause(self, seconds: float) -> None:
        """Wait, but never past the end of the run. Raises RunOverError there."""
        if self.remaining() <= seconds:
            raise RunOverError
        time.sleep(max(0.0, seconds))

    def reserve(self) -> None:
        """Set a message of the budget aside before it is sent. Raises BudgetSpentError."""
        with self._lock:
            if self._reserved >= self.target.max_messages:
                raise BudgetSpentError
            self._reserved += 1

    def release(self) -> None:
        """Give a message back that the server did not take."""
        with self._lock:
            self._reserved -= 1

    @property
    def affordable(self) -> int:
        """How many messages may still be sent."""
        return self.target.max_messages - self._reserved

    # ---- exchanges ----

    def send(self, request: Request, *, connection: Connection | None = None, host: str | None = None) -> Exchange:
        """Send one request, over a connection of its own where none is given, and judge the answer.

        The suite asks faster than clients do. A server may say that this is too fast; then the request is sent again,
        later. A message counts against the budget from before it is sent, and is given back where it was refused.

        Raises BudgetSpentError for one message too many, RunOverError once the run's deadline has passed, also while
        the answer was awaited, and TargetLostError once the target is gone.
        """
        for _ in range(_TRIES - 1):
            exchange = self.send_once(request, connection=connection, host=host)
            if not says_too_fast(exchange):
                return exchange
            self.limited += 1
            wait = _retry_after(exchange)
            if self.remaining() <= wait:
                call = f"{request.method} {request.target}"
                raise RunOverError(f"{call} was answered {exchange.outcome}, however slowly it was asked again")
            self.pause(wait)
            if exchange.response and not exchange.response.keeps_alive:
                connection = None
        return self.send_once(request, connection=connection, host=host)

    def send_once(self, request: Request, *, connection: Connection | None = None, host: str | None = None) -> Exchange:
        """Send one request and take whatever comes for its answer. Raises as `send` does."""
        if self.lost:
            raise TargetLostError(self.lost)
        if self.remaining() <= 0:
            raise RunOverError
        if _is_message(request):
            self.reserve()
        exchange = self._exchange(request, connection, host)
        if _is_message(request) and not _may_be_taken(exchange):
            self.release()
        if self._is_cut(exchange):
            limit = self.target.timeouts.run
            raise RunOverError(
                f"{request.method} {request.target} had no whole answer within the {limit:g} s of the run"
            )
        return exchange

    def _exchange(self, request: Request, connection: Connection | None, host: str | None) -> Exchange:
        deadline = min(time.monotonic() + self._patience, self.deadline)
        with contextlib.closing(_Turn(self._large, self.deadline)) as turn:
            if connection is not None:
                answer = connection.exchange(request, deadline, turn.wait)
                return self._record(request, answer, connection.number)
            try:
                with Connection(self.target, deadline, host) as own:
                    return self._record(request, own.exchange(request, deadline, turn.wait), own.number)
            except NoConnectionError as error:
                now = time.monotonic()
                answer = Answer(None, Timing(now, now, None, now, 0.0), Failure.CONNECT, str(error))
                return self._record(request, answer, 0)

    def connect(self) -> Connection:
        """A connection to be used for several requests. Raises NoConnectionError, RunOverError, TargetLostError."""
        if self.lost:
            raise TargetLostError(self.lost)
        if self.remaining() <= 0:
            raise RunOverError
        return Connection(self.target, self.deadline)

    def _record(self, request: Request, answer: Answer, connection: int) -> Exchange:
        with self._lock:
            number = next(self._numbers)
            self.requests += 1
        exchange = Exchange(
            number=number,
            request=request,
            response=answer.response,
            timing=answer.timing,
            failure=answer.failure,
            detail=answer.detail,
            connection=connection,
        )
        with contextlib.closing(_Turn(self._judging, self.deadline)) as turn:
            if answer.response is not None and _is_weighty(answer.response):
                turn.wait(self.deadline)
                exchange = self._read(exchange)
            self._note_health(exchange)
            observations = [] if self._is_cut(exchange) else list(observe(exchange))
            with self._lock:
                if _is_message(request) and _may_be_taken(exchange):
                    self.messages += 1
                self.created_resources.note(exchange)
                for observation in observations:
                    self._count(observation.requirement, observation.broken, exchange)
            if self._on_exchange:
                self._on_exchange()
            return exchange.lightened()

    def _read(self, exchange: Exchange) -> Exchange:
        """The exchange with its content read: cut off where the run ended meanwhile, and where it is a flood."""
        if self.remaining() <= 0:
            return dataclasses.replace(exchange, failure=Failure.TIMEOUT, detail="the run ended before it was read")
        flood = exchange.content.flood
        if flood and exchange.failure is None:
            return dataclasses.replace(exchange.trimmed(), failure=Failure.FLOOD, detail=flood)
        return exchange

    def _is_cut(self, exchange: Exchange) -> bool:
        """Whether it was the run that ended first: then the server might still have answered, and is not judged."""
        return exchange.failure is Failure.TIMEOUT and self.remaining() <= 0

    def _note_health(self, exchange: Exchange) -> None:
        with self._lock:
            if exchange.failure is Failure.CONNECT:
                self._refused += 1
                if self._answered and self._refused >= _LOST_AFTER:
                    self.lost = f"the target answered before and cannot be reached any more: {exchange.detail}"
                return
            self._refused = 0
            self._answered = self._answered or exchange.response is not None
            if exchange.failure is Failure.TIMEOUT:
                self._patience = min(self._patience, _SHORT_PATIENCE)

    def _count(self, requirement: str, broken: str | None, exchange: Exchange) -> None:
        tally = self._tallies[requirement]
        tally.exercised += 1
        if broken is not None:
            tally.broken += 1
            if len(tally.violations) < _KEPT_VIOLATIONS:
                tally.violations.append(Shown(broken, (exchange.trimmed(),)))

    def tally(self, requirement: str) -> Tally:
        """What all traffic so far says about a requirement."""
        with self._lock:
            found = self._tallies[requirement]
            return Tally(found.exercised, found.broken, list(found.violations))


class _Turn:
    """One exchange's turn to do what takes memory or time: taken when it comes to that, given back at the end."""

    def __init__(self, lock: threading.Lock, deadline: float) -> None:
        self._lock = lock
        self._deadline = deadline
        self._mine = False

    def wait(self, deadline: float) -> float:
        """Wait for the turn, but not behind the run's end; the deadline of the exchange, later by what it took."""
        began = time.monotonic()
        if not self._mine:
            self._mine = self._lock.acquire(timeout=max(0.0, self._deadline - began))
        return min(deadline + time.monotonic() - began, self._deadline)

    def close(self) -> None:
        """Let the next one have it."""
        if self._mine:
            self._lock.release()


def _is_weighty(response: Response) -> bool:
    """Whether to read the body may take memory or time: a small one can unpack to a large one."""
    return len(response.body) > KEPT_BYTES or response.header("content-encoding") is not None


def _is_message(request: Request) -> bool:
    return request.operation == "sendMessage" and request.method == "POST"


def _may_be_taken(exchange: Exchange) -> bool:
    """Whether a server may be working on this message: it said so, or fell silent where the message was right."""
    silent = exchange.failure not in {None, Failure.CONNECT}
    return exchange.ok or (silent and exchange.request.probe != "body")
