"""A client's requests in the form that clients are judged in, and its polls of a task as the readers' who sent them."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field, replace
from itertools import pairwise
from urllib.parse import urlsplit

from sendpoll.conformance.client.judging.observation import Observation, news
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest
from sendpoll.conformance.client.serving.responder import Served
from sendpoll.conformance.client.situations.situation import Expectation, Player, Situation
from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.writing.masks import token_of
from sendpoll.schemas.contract import JSON

_AT_ONCE = 2.0
"""Seconds within which somebody who begins anew is no other reader that came along."""
_MOST_POLLS = 1000
"""Polls of one reader that are kept."""
_BEGINS_AGAIN = 2
"""Times that a reader of a task must have begun anew at once to be one that always does, and no reload of a page."""


@dataclass(frozen=True, slots=True)
class ClientKey:
    """Who asked, as far as a recording tells clients apart."""

    client: str
    program: str
    token: str

    @property
    def name(self) -> str:
        """For a person, without the token."""
        program = self.program.partition(" ")[0][:60] or "a client that does not name itself"
        return f"{program} ({self.client[:60]})" if self.client else program


def client_key(recorded: RecordedExchange) -> ClientKey:
    """Who asked: by the recorder's word for it, its User-Agent and its token."""
    return ClientKey(recorded.client, recorded.request_header("user-agent") or "", token_of(recorded))


def served(exchange: Exchange, recorded: RecordedExchange) -> Served:
    """The exchange as the server of a situation would have seen it."""
    headers = exchange.request.headers
    if recorded.request_header("host") is None:  # HTTP/2 has it elsewhere (RFC 9113 section 8.3.1)
        headers = (*headers, ("Host", urlsplit(recorded.url).netloc))
    version = exchange.response.version if exchange.response else "1.1"
    request = ReceivedRequest(
        recorded.method, exchange.request.target, headers, recorded.request_body or b"", version[:3]
    )
    response, given = exchange.response, None
    if response is not None:
        body = exchange.content.text.encode("utf-8", "surrogatepass")
        given = Answer(response.status, response.headers, body)
    whole = response is not None and response.complete and exchange.failure is None and not recorded.abandoned
    ended = "" if whole else "left" if recorded.abandoned else "reset"
    return Served(request, exchange.timing.started, given, ended, exchange.timing.finished)


def seen_of(requests: list[Served], token: str, message: str = "") -> Observation:
    """Requests of a recording as something that was seen of a client: nobody knows what its user was shown."""
    return Observation(_situation(message), (), requests, requests[0].at if requests else 0.0, token, 0.0)


@functools.lru_cache(maxsize=64)
def _situation(message: str) -> Situation:
    return Situation(
        name="recording",
        title="it was recorded",
        judges=(),
        expect=Expectation.TRAFFIC,
        players=(Player(message, ()),),
        stages=(),
    )


@dataclass(frozen=True, slots=True)
class ThreadedPoll:
    """A poll of a task by a client."""

    exchange: Exchange
    """Trimmed, as evidence."""
    offset: int
    served: Served

    @property
    def leads_to(self) -> int:
        """The offset that a client asks with next."""
        told = news(self.served).get("next_offset", self.offset)
        return told if isinstance(told, int) and not isinstance(told, bool) else self.offset


@dataclass(slots=True)
class TaskReaders:
    """The polls of one task by one client, as the readers whose ways through the log they are."""

    task_id: str
    is_own: bool
    """Whether this client was given the task in the recording, so that its first poll is known."""
    readers: list[list[ThreadedPoll]] = field(default_factory=list)
    polls: int = 0
    _overlap: bool = False
    _last_done: float = 0.0

    def add(self, poll: ThreadedPoll) -> None:
        """Find the reader that it goes on with, or take it for a new one."""
        self._overlap = self._overlap or poll.served.at < self._last_done
        self._last_done = max(self._last_done, poll.served.done_at)
        goes_on = (reader for reader in reversed(self.readers) if reader[-1].leads_to == poll.offset)
        found = next(goes_on, None)
        if found is None and self.readers and poll.offset != 0:
            found = max(self.readers, key=lambda reader: reader[-1].served.at)
        if found is None:
            found = []
            self.readers.append(found)
        if len(found) < _MOST_POLLS:
            self.polls += 1
            found.append(_light(poll))

    @property
    def ways(self) -> list[list[ThreadedPoll]]:
        """The readers; those that one after the other began anew at once, again and again, are one."""
        in_turn = sorted(self.readers, key=lambda reader: reader[0].served.at)
        if self._overlap or sum(_begins_again(one, other) for one, other in pairwise(in_turn)) < _BEGINS_AGAIN:
            return in_turn
        return [[poll for reader in in_turn for poll in reader]]


def _begins_again(one: list[ThreadedPoll], other: list[ThreadedPoll]) -> bool:
    """Whether a reader began at once where another had left off before the end, which then never went on."""
    last, first = one[-1].served, other[0].served
    unread = news(last).get("status") == "running" and one[-1].leads_to != 0
    return unread and 0.0 <= first.at - last.done_at < _AT_ONCE


def _light(poll: ThreadedPoll) -> ThreadedPoll:
    """The poll with no more of its answer than rules about clients read: whether it brought anything, what is next."""
    given, told = poll.served.given, news(poll.served)
    if given is None or not told:
        return poll
    kept: JSON = {name: told[name] for name in ("status", "next_offset") if name in told}
    kept["events"] = [{}] if told.get("events") else []
    said = json.dumps({"data": kept}).encode()
    return replace(poll, served=replace(poll.served, given=given.with_body(said)))
