"""The one way to the target: every exchange of a run goes through here, bounded, counted and judged.

Bodies are judged when they come and then let go, so that a run's memory does not grow with what a server sends.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import threading
import time
import weakref
from collections import defaultdict
from collections.abc import Callable

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent, Request, Response, Timing
from sendpoll.conformance.http.limits import HELD_LIMIT, KEPT_BYTES
from sendpoll.conformance.rules.rules import RuleOutcome, observe
from sendpoll.conformance.rules.tally import Shown, Tally
from sendpoll.conformance.server.probing.created_resources import CreatedResources
from sendpoll.conformance.server.probing.endings import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.server.probing.in_flight import InFlight
from sendpoll.conformance.server.probing.pacing import Pace
from sendpoll.conformance.server.probing.quotas import Quotas
from sendpoll.conformance.server.probing.refusals import is_message
from sendpoll.conformance.server.probing.resending import Answered, Resending
from sendpoll.conformance.server.probing.tempo import Tempo
from sendpoll.conformance.server.transport.connection import Connection, NoConnectionError, Received
from sendpoll.core.dialing.dial import Dialer
from sendpoll.core.target.target import Target
from sendpoll.core.target.tokens import Tokens

_KEPT_VIOLATIONS = 20
"""Violations of one requirement that are kept with their exchanges; the rest are counted."""
_SHORT_PATIENCE = 5.0
"""Seconds that an exchange may take once the server has left another unanswered for its whole deadline."""
_CONNECTING = 1.0
"""Seconds within which a target that is there takes a connection."""


class Recorder:
    """Sends requests and records what came of them. Safe for several threads."""

    def __init__(
        self, target: Target, *, started: float | None = None, on_exchange: Callable[[], None] | None = None
    ) -> None:
        self.target = target
        self._dialer = Dialer(target)
        self._on_exchange = on_exchange
        self.started = time.monotonic() if started is None else started
        self.deadline = self.started + target.timeouts.run
        self.requests = 0
        self.messages = 0
        self.opens_with: bytes | None = None
        """The body with which conversations are opened, where the target takes none without."""
        self.ended_tasks: set[str] = set()
        """Tasks whose final status was seen: from then on their polls are late."""
        self.known_workspaces: set[str] = set()
        """Workspaces that the server has answered for: from then on they are ensured again."""
        self.created_resources = CreatedResources()
        self.quotas = Quotas()
        self.in_flight = InFlight()
        pace = target.traits.pace
        self.pace = Pace(pace.per_second if pace else None)
        took = target.traits.task_time
        self.tempo = Tempo(self.in_flight, self.pace, took.end if took else None)
        tokens = Tokens(target)
        self.resending = Resending(self, self.pace, self.in_flight, tokens.renewed if tokens.can_renew else None)
        self.held = 0
        """Messages of the budget that only probes may spend, which a right server refuses."""
        self.kept_for_probes = 0.0
        """Seconds at the end of the run in which no task is read."""
        self._reserved = 0
        self._patience = target.timeouts.exchange
        self._tallies: dict[str, Tally] = defaultdict(Tally)
        self._observed: dict[int, list[RuleOutcome]] = {}
        """Number of an exchange whose answer is of some size to what the rules say of it, until that is counted."""
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._large = threading.Lock()
        """Held by the one exchange whose large answer comes."""
        self._judging = threading.Lock()
        """Held by the one exchange whose answer of some size is judged."""
        self._held = 0
        self.cut_by: str = ""
        """Who cut the run short before its deadline; empty while nobody has."""
        self._over = threading.Event()
        self._open: weakref.WeakSet[Connection] = weakref.WeakSet()

    def is_stuck(self, task_id: str) -> bool:
        """Whether a task began and stands still, or shows nothing while nothing else runs, for longer than it may."""
        return self.in_flight.stuck_for(task_id, self.target.timeouts.task) is not None

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
        """Wait, but not past the end of the run nor for a target that is gone. Raises RunOverError, TargetLostError."""
        if self.lost:
            raise TargetLostError(self.lost)
        if self.remaining() <= seconds or self._over.wait(max(0.0, seconds)):
            raise RunOverError

    def cut(self, by: str) -> None:
        """End the run now, as if its deadline had passed: what waits for an answer waits no longer.

        To be called from any thread, also from a signal's handler.
        """
        self.cut_by = by
        self.deadline = min(self.deadline, time.monotonic())
        self._over.set()
        for connection in list(self._open):
            connection.interrupt()

    def pause_before_poll(self, task_id: str, seconds: float) -> None:
        """Wait as the reader of a task does, who looks at once where another one saw it move. Raises as `pause`."""
        self.pause(0.0)
        left = self.remaining() - self.kept_for_probes
        if left <= 0:
            raise RunOverError("the time that was left was kept for what needs no task")
        self.tempo.wait(task_id, min(seconds, left), self._over)

    def reserve(self, *, held: int = 0) -> None:
        """Set a message of the budget aside before it is sent, all but `held` of them. Raises BudgetSpentError."""
        with self._lock:
            if self._reserved >= self.target.max_messages - held:
                raise BudgetSpentError
            self._reserved += 1

    def release(self) -> None:
        """Give a message back that the server did not take."""
        with self._lock:
            self._reserved -= 1

    @property
    def affordable(self) -> int:
        """How many messages may still be sent, those aside that are held for probes."""
        return max(0, self.target.max_messages - self.held - self._reserved)

    # ---- exchanges ----

    def send(
        self,
        request: Request,
        *,
        connection: Connection | None = None,
        host: str | None = None,
        patient: bool = True,
    ) -> Exchange:
        """Send one request, over a connection of its own where none is given, and judge the answer.

        What the suite's own pace or timing brought about is waited out, and the request is sent again (`Resending`). A
        message that is refused because another task runs is sent again only where `patient`; else the refusal is
        judged by nothing. A message counts against the budget from before it is sent, and is given back where it was
        refused.

        Raises BudgetSpentError for one message too many, RunOverError once the run's deadline has passed, also while
        the answer was awaited, and TargetLostError once the target is gone.
        """
        exchange = self.resending.beside(request, connection, host)
        exchange, good_for = self.resending.settle(exchange, host=host, patient=patient)
        return self._conclude(exchange, is_judged=good_for is Answered.JUDGED)

    def send_once(self, request: Request, *, connection: Connection | None = None, host: str | None = None) -> Exchange:
        """Send one request and take whatever comes for its answer. Raises as `send` does."""
        return self._conclude(self.resending.beside(request, connection, host))

    def transmit(self, request: Request, connection: Connection | None = None, host: str | None = None) -> Exchange:
        """Send one request and count what comes of it; nothing is judged. Raises as `send` does."""
        if self.lost:
            raise TargetLostError(self.lost)
        if self.remaining() <= 0:
            raise RunOverError
        if is_message(request):
            self.reserve(held=0 if request.intent is Intent.PROBE else self.held)
        exchange = self._exchange(request, connection, host)
        if is_message(request) and not _may_be_taken(exchange):
            self.release()
        if self._is_cut(exchange):
            limit = self.target.timeouts.run
            raise RunOverError(
                f"{request.method} {request.target} had no whole answer within the {limit:g} s of the run"
            )
        return exchange

    @property
    def lost(self) -> str:
        """Why the target counts as gone; empty while it does not."""
        return self.resending.lost

    @property
    def token(self) -> str:
        """The target's own token, as it is now."""
        return self.target.token

    @token.setter
    def token(self, token: str) -> None:
        known = dict.fromkeys((token, self.target.token, *self.target.tokens))  # what was one stays secret
        self.target = dataclasses.replace(self.target, token=token, tokens=tuple(known))

    def is_there(self) -> bool:
        """Whether the target takes a connection."""
        try:
            Connection(self._dialer, min(self.deadline, time.monotonic() + _CONNECTING)).close()
        except NoConnectionError:
            return False
        return True

    def _exchange(self, request: Request, connection: Connection | None, host: str | None) -> Exchange:
        deadline = min(time.monotonic() + self._patience, self.deadline)
        with contextlib.closing(_Turn(self._large, self.deadline)) as turn:
            if connection is not None:
                answer = connection.exchange(request, deadline, turn.wait)
                return self._record(request, answer, connection.number)
            try:
                with self._opened(Connection(self._dialer, deadline, host)) as own:
                    return self._record(request, own.exchange(request, deadline, turn.wait), own.number)
            except NoConnectionError as error:
                now = time.monotonic()
                answer = Received(None, Timing(now, now, None, now, 0.0), Failure.CONNECT, str(error))
                return self._record(request, answer, 0)

    def connect(self) -> Connection:
        """A connection to be used for several requests. Raises NoConnectionError, RunOverError, TargetLostError."""
        if self.lost:
            raise TargetLostError(self.lost)
        if self.remaining() <= 0:
            raise RunOverError
        return self._opened(Connection(self._dialer, self.deadline))

    def _opened(self, connection: Connection) -> Connection:
        self._open.add(connection)
        if self.cut_by:
            connection.interrupt()
        return connection

    def _record(self, request: Request, answer: Received, connection: int) -> Exchange:
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
            stray=answer.stray,
        )
        with contextlib.closing(_Turn(self._judging, self.deadline)) as turn:
            if answer.response is not None and _is_weighty(answer.response):
                turn.wait(self.deadline)
                exchange = self._read(exchange)
            with self._lock:
                if is_message(request) and _may_be_taken(exchange):
                    self.messages += 1
                if exchange.failure is Failure.TIMEOUT:
                    self._patience = min(self._patience, _SHORT_PATIENCE)
                self.created_resources.note(exchange)
            self.in_flight.note(exchange)
            self.resending.note(exchange)
            if self._on_exchange:
                self._on_exchange()
            if answer.response is None or not _is_weighty(answer.response):
                return exchange
            self._observed[number] = list(observe(exchange))  # now, or several large answers would be held at once
            return exchange.lightened()

    def _conclude(self, exchange: Exchange, *, is_judged: bool = True) -> Exchange:
        """Count what the rules that watch all traffic say of an exchange."""
        observed = self._observed.pop(exchange.number, None)
        observations = (list(observe(exchange)) if observed is None else observed) if is_judged else []
        with self._lock:
            for observation, shown in self.quotas.judge(exchange, observations):
                self._count(observation.requirement, observation.broken, shown)
        return exchange

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
        cut = exchange.failure is Failure.TIMEOUT or (self.cut_by and exchange.failure is not None)
        return bool(cut) and self.remaining() <= 0

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


def _may_be_taken(exchange: Exchange) -> bool:
    """Whether a server may be working on this message: it said so, or fell silent where the message was right."""
    silent = exchange.failure not in {None, Failure.CONNECT}
    return exchange.ok or (silent and exchange.request.probe != "body")
