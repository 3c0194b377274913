"""What is sent again, and how often at most: the way to the target is told here, and no server is needed."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from sendpoll.conformance.http.exchange import Exchange, Failure, Request, Timing
from sendpoll.conformance.server.probing.endings import NoTimeError, TargetLostError
from sendpoll.conformance.server.probing.in_flight import InFlight
from sendpoll.conformance.server.probing.pacing import Pace
from sendpoll.conformance.server.probing.resending import Answered, Resending
from sendpoll.conformance.server.transport.connection import Connection
from tests.conformance.exchanges import told

ANSWERED = told("pollTask", sent=(("authorization", "Bearer t"),))
DEAD = replace(ANSWERED, response=None, failure=Failure.CONNECT, detail="refused")
CUT = replace(ANSWERED, response=None, failure=Failure.CLOSED, detail="closed before the answer")
MOST = 20
"""More than any request is sent."""


def now(exchange: Exchange) -> Exchange:
    """The exchange, made at this moment."""
    moment = time.monotonic()
    return replace(exchange, timing=Timing(moment, moment, moment, moment, 0.0))


@dataclass
class Scripted:
    """A target of which it is told what it answers, and whether it takes a connection."""

    answers: Iterator[Exchange]
    there: Iterator[bool]
    in_flight: InFlight = field(default_factory=InFlight)
    token: str = "t"
    sent: list[Request] = field(default_factory=list)

    def transmit(self, request: Request, _: Connection | None = None, host: str | None = None) -> Exchange:  # noqa: ARG002 - the protocol's
        self.sent.append(request)
        assert len(self.sent) < MOST
        exchange = now(next(self.answers))
        self.in_flight.note(exchange)
        return exchange

    def is_there(self) -> bool:
        return next(self.there)

    def pause(self, seconds: float) -> None:
        pass

    def remaining(self) -> float:
        return 100.0


def settled(
    exchange: Exchange, answers: Iterable[Exchange], there: Iterable[bool] = (), running: Exchange | None = None
) -> tuple[Failure | None, Answered, list[Request]]:
    """What becomes of an exchange with a target that has answered a poll before, and what was sent for it.

    `running` is a message whose task runs.
    """
    sender = Scripted(iter(answers), iter(there))
    if running is not None:
        sender.in_flight.note(running)
    made = Resending(sender, Pace(), sender.in_flight, None)
    made.note(ANSWERED)
    found, good_for = made.settle(now(exchange))
    return found.failure, good_for, sender.sent


def test_a_request_that_brings_the_target_down_each_time_has_its_answer() -> None:
    """The poll that asks whether the tasks are still known is answered each time, this request never."""
    asked = replace(CUT, request=replace(CUT.request, target="/api/v1/tasks/deadly?from=0"))
    failure, good_for, sent = settled(asked, itertools.cycle([ANSWERED, asked]), itertools.cycle([False, True]))
    assert (failure, good_for) == (Failure.CLOSED, Answered.JUDGED)
    assert 1 < sent.count(asked.request) < MOST / 2


def test_a_target_that_is_away_whenever_it_is_asked_is_lost() -> None:
    with pytest.raises(TargetLostError, match="away each of"):
        settled(DEAD, itertools.cycle([ANSWERED, DEAD]), itertools.repeat(True))


def test_a_target_that_comes_back_after_a_few_times_answers() -> None:
    answers = [ANSWERED, DEAD, ANSWERED, DEAD, ANSWERED, ANSWERED]
    assert settled(DEAD, answers, itertools.repeat(True))[:2] == (None, Answered.JUDGED)


def test_what_a_server_cuts_that_stays_there_is_its_answer() -> None:
    assert settled(CUT, [], itertools.repeat(True)) == (Failure.CLOSED, Answered.JUDGED, [])


def test_a_message_that_may_have_been_taken_is_not_sent_again() -> None:
    cut = replace(told("sendMessage"), response=None, failure=Failure.CLOSED)
    failure, good_for, sent = settled(cut, itertools.repeat(ANSWERED), itertools.cycle([False, True]))
    assert (failure, good_for) == (Failure.CLOSED, Answered.PASSED_OVER)
    assert {request.operation for request in sent} == {"pollTask"}


def _sent(seconds_ago: float) -> Exchange:
    moment = time.monotonic() - seconds_ago
    return replace(told("sendMessage"), timing=Timing(moment, moment, moment, moment, 0.0))


def test_a_message_does_not_wait_for_a_task_that_takes_too_long() -> None:
    """By all that is known it runs another 60 s, and the run has 100: what needs no room comes first."""
    with pytest.raises(NoTimeError, match="takes no message while a task runs"):
        settled(told("sendMessage", {}, status=409), [], running=_sent(60.0))


def test_a_message_waits_for_a_task_that_is_soon_over() -> None:
    over = told("pollTask", {"data": {"status": "completed", "events": [], "next_offset": 0}})
    answers = [over, told("sendMessage")]
    failure, good_for, sent = settled(told("sendMessage", {}, status=409), answers, running=_sent(10.0))
    assert (failure, good_for) == (None, Answered.JUDGED)
    assert [request.operation for request in sent] == ["pollTask", "sendMessage"]
