"""The readers of answers that there are, each made to say what of HTTP-1 to HTTP-6 some bytes break."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sendpoll.conformance.rules.rules import observe
from sendpoll.load.http.client import HttpClient
from sendpoll.load.http.response import HeadReader, MalformedAnswerError
from sendpoll.load.http.transport import ExchangeError
from tests.conformance.exchanges import received

ROWS = frozenset(f"HTTP-{number}" for number in range(1, 7))


def told_by_check(pieces: Sequence[bytes], *, closes: bool = True) -> tuple[set[str], bytes | None]:
    """What the suite's rules say of an answer to a poll, and the body that they read."""
    exchange = received(*pieces, closes=closes)
    broken = {seen.requirement for seen in observe(exchange) if seen.broken is not None}
    return broken & ROWS, exchange.response.body if exchange.response else None


class Connection:
    """A transport that gives what it was given, and then ends or goes silent."""

    def __init__(self, pieces: Sequence[bytes], *, closes: bool) -> None:
        self._pieces = list(pieces)
        self._closes = closes
        self.client: HttpClient | None = None
        self.stale = False

    def connect(self) -> Connection:
        return self

    def send(self, data: bytes) -> None:
        del data

    def receive(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        if not self._closes and self.client is not None:
            self.client.expire()
        return b""

    def abort(self) -> None: ...

    def close(self) -> None: ...


def told_by_load(pieces: Sequence[bytes], *, closes: bool = True) -> tuple[set[str], bytes | None]:
    """What the load users' client refuses an answer for, and the body that it reads."""
    connection = Connection(pieces, closes=closes)
    client = HttpClient(cast("Any", connection), HeadReader(), 10.0)
    connection.client = client
    try:
        answer = client.exchange(b"GET / HTTP/1.1\r\n\r\n", repeatable=False)
    except MalformedAnswerError as error:
        return {fault.requirement for fault in error.faults} & ROWS, None
    except ExchangeError:
        return set(), None
    return set(), answer.body
