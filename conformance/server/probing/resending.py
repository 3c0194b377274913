"""Sends a request again whose answer says nothing about it: what the suite's own pace and timing brought about.

The suite asks faster than clients do, runs many tasks at once, and goes on while a server restarts or a token expires.
What comes of that is waited out; only what a server still answers then is its answer.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable
from enum import Enum
from typing import NoReturn, Protocol

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent, Request
from sendpoll.conformance.server.probing.endings import NoTimeError, RunOverError, TargetLostError
from sendpoll.conformance.server.probing.in_flight import Flight, InFlight
from sendpoll.conformance.server.probing.pacing import Floor, Pace
from sendpoll.conformance.server.probing.presence import PATIENCE, Presence
from sendpoll.conformance.server.probing.refusals import (
    UNAUTHORIZED,
    is_busy,
    is_message,
    may_be_too_fast,
    told_wait,
    waits,
    was_cut,
)
from sendpoll.conformance.server.probing.task_paths import pasted
from sendpoll.conformance.server.transport.connection import Connection
from sendpoll.core.target.url import TargetError

_CLOSING = 0.1
"""Seconds between the end of a server's connections and that of its listening, at most, when it goes down."""
_SETTLING = (0.5, 1.0, 2.0)
"""Seconds before each try of a message that is refused though no task of this run runs any more."""
_LOOK = 0.2
"""Seconds between two looks at whether a task has ended."""
_MOST_TURNS = 40
"""Times that one message is sent again because other tasks ran."""
_MOST_RETURNS = 5
"""Times that one request is sent because the target went down before it had answered."""


class Sender(Protocol):
    """What sends one request once, and knows the run's bounds."""

    token: str

    def transmit(self, request: Request, connection: Connection | None = None, host: str | None = None) -> Exchange:
        """Send it, count it, and judge nothing."""

    def is_there(self) -> bool:
        """Whether a connection can be made."""

    def pause(self, seconds: float) -> None:
        """Wait. Raises RunOverError where the run would be over."""

    def remaining(self) -> float:
        """Seconds until the run is over."""


class Answered(Enum):
    """What an exchange is good for."""

    JUDGED = "it is the server's answer"
    PASSED_OVER = "it says nothing about the server"


class Resending:
    """What to do about an exchange that may say nothing about its request. Safe for several threads."""

    def __init__(
        self, sender: Sender, pace: Pace, in_flight: InFlight, renew_token: Callable[[str], str] | None
    ) -> None:
        self.lost = ""
        """Why the target counts as gone; empty while it does not."""
        self.limited = 0
        """How often the server said that it was asked too fast."""
        self.limited_with: Exchange | None = None
        """The first such answer."""
        self.floor = Floor()
        self.presence = Presence(sender.is_there, sender.pause)
        self._sender = sender
        self._pace = pace
        self._in_flight = in_flight
        self._renew_token = renew_token
        self._good: Request | None = None
        """The last call with the target's token that was answered, and may be made again."""
        self._good_poll: Request | None = None
        self._good_at = 0.0
        self._remembered = 0
        """After how many outages the target was found to know what it knew before."""
        self._token = threading.Lock()
        self._looking = threading.Lock()
        self._stubborn: Counter[tuple[object, ...]] = Counter()
        """Kinds of requests that are answered so however slowly they are asked."""

    def note(self, exchange: Exchange) -> None:
        """Take in any exchange."""
        request = exchange.request
        if not exchange.ok or request.intent is Intent.PROBE or not self._bears_token(request):
            return
        self._good_at = exchange.timing.started
        if request.operation == "pollTask":
            self._good = self._good_poll = request
        elif request.operation == "createWorkspace":
            self._good = self._good or request

    def beside(self, request: Request, connection: Connection | None = None, host: str | None = None) -> Exchange:
        """Send a request once, at the pace that the server takes and beside others."""
        self._sender.pause(self._pace.turn())
        with self.floor.shared():
            return self._sender.transmit(request, connection, host)

    def settle(self, exchange: Exchange, *, host: str | None = None, patient: bool = True) -> tuple[Exchange, Answered]:
        """The answer that counts, be it this one or one to the same request sent again, and what it is good for.

        A message that is refused because another task runs is sent again only where `patient`. Raises RunOverError and
        TargetLostError.
        """
        for _ in range(_MOST_RETURNS):
            if not self._went_down_before(exchange):
                break
            self._await_return(exchange)
            if is_message(exchange.request) and exchange.failure is not Failure.CONNECT:
                return exchange, Answered.PASSED_OVER  # it may have been taken, and be billed
            exchange = self.beside(exchange.request, host=host)
        if was_cut(exchange):
            return self._still_cut(exchange)
        if self._is_no_limit(exchange):
            return exchange, Answered.JUDGED
        if may_be_too_fast(exchange) and not (is_busy(exchange) and self._in_flight.running() and not patient):
            exchange = self._alone(exchange, host)
        if is_busy(exchange):
            if not patient and self._in_flight.running():
                return exchange, Answered.PASSED_OVER
            exchange = self._when_free(exchange, host)
        if exchange.status in UNAUTHORIZED and self._bears_token(exchange.request):
            exchange = self._with_good_token(exchange, host)
        return exchange, Answered.JUDGED

    # ---- too fast ----

    def _is_no_limit(self, exchange: Exchange) -> bool:
        """Whether an answer that may say "too fast" says it at the pace of one published client, and not for how long.

        That client breaks by it, be it a limit or a fault. A limit that counts over minutes says when it is over.
        """
        if not may_be_too_fast(exchange) or is_busy(exchange) or told_wait(exchange) is not None:
            return False
        return self._pace.was_a_clients(exchange.timing.started)

    def _alone(self, exchange: Exchange, host: str | None) -> Exchange:
        """The same request sent again with nothing beside it, later and later."""
        request = exchange.request
        kind = (request.operation, request.method, request.probe, request.intent, exchange.status)
        tries = 1 if self._stubborn[kind] else None
        if is_busy(exchange) and self._in_flight.running():
            tries = 1  # it may be the tasks that are too many
        self.limited += 1
        sent_at = exchange.timing.started
        self.limited_with = self.limited_with or exchange
        for wait in itertools.islice(waits(exchange), tries):
            with self.floor.alone():
                if self._sender.remaining() <= wait:
                    raise RunOverError(
                        f"{request.method} {request.target} was answered {exchange.outcome}, to be asked again in "
                        f"{wait:.0f} s, which is behind the end of the run"
                    )
                self._sender.pause(wait)
                exchange = self._sender.transmit(request, host=host)
            if not may_be_too_fast(exchange):
                self._pace.came_too_fast(sent_at)
                return exchange
        self._stubborn[kind] += 1
        return exchange

    # ---- busy with other tasks ----

    def _when_free(self, exchange: Exchange, host: str | None) -> Exchange:
        """The same message, sent again whenever a task of this run has ended, and a few times when none is left."""
        for _ in range(_MOST_TURNS):
            running = self._in_flight.running()
            if not running or not is_busy(exchange):
                break
            self._wait_for_an_end(running)
            exchange = self.beside(exchange.request, host=host)
        recent = any(time.monotonic() - (flight.ended_at or 0.0) < PATIENCE for flight in self._in_flight.over())
        for wait in _SETTLING if recent else ():
            if not is_busy(exchange):
                break
            self._sender.pause(max(wait, told_wait(exchange) or 0.0))
            exchange = self.beside(exchange.request, host=host)
        return exchange

    def _wait_for_an_end(self, running: list[Flight]) -> None:
        """Wait until one of these is over, but not for half of the time that is left: others need that.

        Raises NoTimeError.
        """
        while not any(flight.is_over for flight in running):
            wait = self._in_flight.seconds_to_an_end()
            if wait > self._sender.remaining() / 2:
                raise NoTimeError(f"the agent takes no message while a task runs, for about {wait:.0f} s more")
            self.look_after_unread()
            with self._in_flight.changed:
                self._in_flight.changed.wait(_LOOK)
            self._sender.pause(0.0)

    def look_after_unread(self) -> None:
        """Poll the tasks that nobody reads: who waits for room would wait for their end for ever."""
        if not self._looking.acquire(blocking=False):
            return  # somebody else does
        try:
            for flight in list(self._in_flight.unread()):
                self._look_after(flight)
        finally:
            self._looking.release()

    def _look_after(self, flight: Flight) -> None:
        """Poll a task that nobody reads, and let it go where that leads nowhere."""
        poll = self._good_poll
        if poll is None:
            self._in_flight.forget(flight)
            return
        path, _, _ = poll.target.rpartition("/api/v1/tasks/")
        target = f"{path}/api/v1/tasks/{pasted(flight.task_id)}?from=0"
        exchange = self.beside(dataclasses.replace(poll, target=target))
        stuck = self._in_flight.stuck_for(flight.task_id, PATIENCE)
        if 400 <= exchange.status <= 499 or stuck:
            self._in_flight.forget(flight)

    # ---- away ----

    def _went_down_before(self, exchange: Exchange) -> bool:
        """Whether a request was cut because the target went down, and not by the server's own doing."""
        if not was_cut(exchange) or self._good is None:
            return False
        if exchange.failure is Failure.CONNECT:
            return True
        self._sender.pause(min(_CLOSING, max(0.0, self._sender.remaining() / 2)))
        return not self._sender.is_there() or self.presence.was_away_since(exchange.timing.started)

    def _await_return(self, exchange: Exchange) -> None:
        if not self.presence.comes_back(exchange.timing.finished):
            self._lose(f"the target answered before and cannot be reached any more: {exchange.detail}")
        self._check_memory()

    def _still_cut(self, exchange: Exchange) -> tuple[Exchange, Answered]:
        """A request that the server cut itself, or went down by each time, has its answer; else it was never there."""
        if exchange.failure is Failure.CONNECT and self._good is not None:
            self._lose(f"the target was away each of {_MOST_RETURNS + 1} times that it was asked: {exchange.detail}")
        return exchange, Answered.JUDGED

    def _check_memory(self) -> None:
        """Hold that what was there before an outage is there after it."""
        if self._good_poll is None or self._remembered == len(self.presence.outages):
            return
        exchange = self.beside(self._good_poll)
        if exchange.status in {404, 410}:
            outage = self.presence.outages[-1]
            self._lose(
                f"the target was away for {outage.ended - outage.began:.1f} s and has forgotten its tasks "
                f"({exchange.request.method} {exchange.request.target} is answered {exchange.outcome}): it restarted, "
                "and nothing can be said of what it forgot"
            )
        self._remembered = len(self.presence.outages)

    def _lose(self, why: str) -> NoReturn:
        self.lost = self.lost or why
        raise TargetLostError(self.lost)

    # ---- the token ----

    def _bears_token(self, request: Request) -> bool:
        return request.header("authorization") == f"Bearer {self._sender.token}"

    def _with_good_token(self, exchange: Exchange, host: str | None) -> Exchange:
        """The answer to a request that was refused under the target's own token, should that have been taken before."""
        if self._good is None or self._good_at > exchange.timing.finished:
            return exchange
        with self._token:
            if self._bears_token(exchange.request):
                if self.beside(self._good).status not in UNAUTHORIZED:
                    return exchange
                self._renew(exchange)
        again = self.beside(self._under_token(exchange.request), host=host)
        if again.status in UNAUTHORIZED and self.beside(self._under_token(self._good)).status in UNAUTHORIZED:
            self._lose(f"the token was taken before, and the new one is refused ({again.outcome})")
        return again

    def _renew(self, exchange: Exchange) -> None:
        if self._renew_token is None:
            self._lose(
                f"the token was taken before and is refused now ({exchange.outcome}): it has expired; give one that "
                "lasts, or in a target file a token_command that makes a new one"
            )
        try:
            self._sender.token = self._renew_token(self._sender.token)
        except TargetError as error:
            self._lose(f"the token was taken before and is refused now ({exchange.outcome}); {error}")

    def _under_token(self, request: Request) -> Request:
        return request.with_header("authorization", f"Bearer {self._sender.token}")
