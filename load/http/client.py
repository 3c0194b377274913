"""The HTTP client of one user: keep-alive, one exchange at a time, each with a hard deadline.

It follows no redirect, keeps no cookie and repeats nothing but a GET that met a connection which the server had closed
while it was idle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from weakref import WeakSet

import gevent

from sendpoll.core.http.chunks import ChunkedBody
from sendpoll.core.http.coding import UndecodableError, decode, unoffered
from sendpoll.core.http.content import says_all
from sendpoll.core.http.ending import goes_on, length_cut, unended
from sendpoll.core.http.head import HEAD_END, Fault, Framing, Head, begins_like_http
from sendpoll.core.http.limits import BODY_LIMIT, HEAD_LIMIT
from sendpoll.load.http.request import ACCEPTED_CODING
from sendpoll.load.http.response import HeadReader, malformed, retry_after_of, too_large
from sendpoll.load.http.transport import Connector, ExchangeError, Transport, own_failure
from sendpoll.load.measure.machine_limits import limit_of

_BLANK_LINE = b"\r\n\r\n"
_now = time.perf_counter


@dataclass(slots=True)
class Answer:
    """One answer. Times are of `time.perf_counter`."""

    status: int
    body: bytes
    """Decoded."""
    size: int
    """Bytes of the body as they came over the wire."""
    location: str
    sent_at: float
    received_at: float
    retry_after_s: float | None = None
    """For how many seconds after that the server asks to be left alone; None where it does not say."""


class Watchdog:
    """Ends the exchanges that are past their deadline: one greenlet in place of a timer for each."""

    def __init__(self, interval: float) -> None:
        self._clients: WeakSet[HttpClient] = WeakSet()
        self._interval = interval
        self._greenlet = gevent.spawn(self._watch)

    def add(self, client: HttpClient) -> None:
        """Watch this client for as long as it lives."""
        self._clients.add(client)

    def stop(self) -> None:
        """Watch no more."""
        self._greenlet.kill()

    def _watch(self) -> None:
        while True:
            gevent.sleep(self._interval)
            now = _now()
            for client in list(self._clients):
                if client.deadline < now:
                    client.expire()


class HttpClient:
    """The connection of one user, and what is said over it."""

    __slots__ = ("__weakref__", "_connector", "_expired", "_heads", "_patience", "_transport", "deadline")

    def __init__(self, connector: Connector, heads: HeadReader, patience: float) -> None:
        self._connector = connector
        self._heads = heads
        self._patience = patience
        self._transport: Transport | None = None
        self._expired = False
        self.deadline = inf
        """When the exchange that is under way must be over; infinite between exchanges."""

    def expire(self) -> None:
        """End the exchange that is under way; its greenlet gets an ExchangeError."""
        self._expired = True
        self.deadline = inf
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Close the connection; the next exchange opens a new one."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def exchange(self, request: bytes, *, repeatable: bool) -> Answer:
        """Send a request and read the whole answer.

        `repeatable` allows a second attempt on a new connection, if the old one ended before any byte of an answer.
        Raises ExchangeError when no answer came, MalformedAnswerError when it was none that all clients read.
        """
        sent_at = _now()
        self._expired = False
        self.deadline = sent_at + self._patience
        transport = self._transport
        if transport is not None and transport.stale:
            self.close()
            transport = None
        try:
            data = self._first_bytes_reused(transport, request, repeatable) if transport else self._first_bytes(request)
            return self._read(data, sent_at)
        except BaseException:
            self.close()
            raise
        finally:
            self.deadline = inf

    def _first_bytes_reused(self, transport: Transport, request: bytes, repeatable: bool) -> bytes:
        """The first bytes of the answer on a connection that served before."""
        cause: OSError | None = None
        data = b""
        try:
            transport.send(request)
            data = transport.receive()
        except OSError as error:
            cause = error
        if data:
            return data
        if not repeatable or self._expired:
            raise self._ended(cause)
        self.close()
        return self._first_bytes(request)

    def _first_bytes(self, request: bytes) -> bytes:
        """The first bytes of the answer on a new connection."""
        self._transport = transport = self._connector.connect()
        if self._expired:
            raise self._ended(None)
        try:
            transport.send(request)
            data = transport.receive()
        except OSError as error:
            raise self._ended(error) from error
        if not data:
            raise self._ended(None)
        return data

    def _more(self) -> bytes:
        """The next bytes of an answer that has begun; empty at the connection's end."""
        assert self._transport is not None  # noqa: S101 - for the type checker: an answer has begun on it
        try:
            data = self._transport.receive()
        except OSError as error:
            raise self._ended(error) from error
        if self._expired:
            raise self._ended(None)
        return data

    def _read(self, data: bytes, sent_at: float) -> Answer:
        end = data.find(_BLANK_LINE) + 2
        head = self._heads.known.get(data[:end])
        if head is None:
            data, end, start = self._read_head(data)
            head = self._heads.read(data[:end])
        else:
            start = end + 2
        body, surplus = data[start:], False
        if len(body) != head.length:
            body, surplus = self._read_body(head, body)
        received_at = _now()
        if not head.keeps_alive:
            self.close()
        size = len(body)
        if head.coding and body:
            body = _decoded(head.coding, body)
        if surplus:
            self.close()  # what follows the body cannot be the answer to anything
            if head.framing is not Framing.NONE and not says_all(body, ""):
                raise malformed(goes_on(head.length))
        status = head.status
        wait_s = None if status < 400 else retry_after_of(head)
        return Answer(status, body, size, head.location, sent_at, received_at, wait_s)

    def _read_head(self, data: bytes) -> tuple[bytes, int, int]:
        """Read on until the blank line; the bytes so far, where the head ends and where the body begins."""
        while (end := HEAD_END.search(data)) is None:
            if not begins_like_http(data):
                raise malformed(Fault("HTTP-4", f"no HTTP answer: it begins with {data[:32]!r}"))
            if len(data) > HEAD_LIMIT:
                self._heads.read(data[: data.rfind(b"\n") + 1])
                raise malformed(Fault("HTTP-6", f"the answer has more than {HEAD_LIMIT} bytes of headers"))
            piece = self._more()
            if not piece:
                raise malformed(Fault("HTTP-7", "the connection was closed in the middle of the headers"))
            data += piece
        return data, end.start() + 1, end.end()

    def _read_body(self, head: Head, data: bytes) -> tuple[bytes, bool]:
        """Read on until the body's end; the body as it came, and whether anything stands behind it."""
        if head.length is not None:
            return self._read_length(head, head.length, data)
        if head.framing is Framing.CHUNKED:
            return self._read_chunks(head, data)
        return self._read_to_end(head, data), False

    def _read_length(self, head: Head, length: int, data: bytes) -> tuple[bytes, bool]:
        if length > BODY_LIMIT:
            raise too_large()
        pieces, have = [data], len(data)
        while have < length:
            piece = self._more_of(head, pieces, partial(length_cut, missing=length - have))
            if not piece:
                raise malformed(length_cut("closed the connection", length - have))
            pieces.append(piece)
            have += len(piece)
        return b"".join(pieces)[:length], have > length

    def _read_chunks(self, head: Head, data: bytes) -> tuple[bytes, bool]:
        chunks = ChunkedBody()
        while True:
            chunks.feed(data)
            if chunks.faults:
                raise malformed(*chunks.faults)
            if chunks.stopped:
                raise too_large()
            if chunks.done:
                return bytes(chunks.body), bool(chunks.surplus)
            data = self._more_of(head, [chunks.body], chunks.cut)
            if not data:
                raise malformed(chunks.cut("closed the connection"))

    def _read_to_end(self, head: Head, data: bytes) -> bytes:
        pieces, have = [data], len(data)
        while piece := self._more_of(head, pieces, unended):
            pieces.append(piece)
            have += len(piece)
            if have > BODY_LIMIT:
                raise too_large()
        return b"".join(pieces)

    def _more_of(self, head: Head, pieces: Sequence[bytes | bytearray], cut: Callable[[str], Fault]) -> bytes:
        """The next bytes of a body; if none come in time though it says all, its framing is at fault, not a pause."""
        try:
            return self._more()
        except ExchangeError as error:
            if self._expired and says_all(b"".join(pieces), head.coding):
                raise malformed(cut("went silent")) from error
            raise

    def _ended(self, cause: OSError | None) -> ExchangeError:
        if self._expired:
            return ExchangeError("timeout", f"no whole answer within {self._patience:g} s")
        limit = limit_of(cause, has_connected=True) if cause is not None else None
        if limit is not None:
            return own_failure(limit)
        if cause is not None and cause.strerror:
            return ExchangeError("reset", f"the connection broke before the answer: {cause.strerror}")
        return ExchangeError("reset", "the server closed the connection without an answer")


def _decoded(coding: str, body: bytes) -> bytes:
    """A body without its content coding. Raises MalformedAnswerError."""
    unasked = unoffered(coding, ACCEPTED_CODING)
    if unasked:
        raise malformed(Fault("ENC-6", unasked))
    try:
        plain = decode(body, coding, BODY_LIMIT)
    except UndecodableError as error:
        raise malformed(Fault("ENC-7", str(error))) from error
    if len(plain) > BODY_LIMIT:
        raise too_large()
    return plain
