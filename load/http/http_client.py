"""The HTTP client of one user: keep-alive, one exchange at a time, each with a hard deadline.

It follows no redirect, keeps no cookie and repeats nothing but a GET that met a connection which the server had closed
while it was idle.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from math import inf
from weakref import WeakSet

import gevent

from sendpoll.load.http.http_response import (
    MAX_BODY,
    MAX_HEAD,
    ChunkedBody,
    Head,
    HeadReader,
    MalformedAnswerError,
    gunzip,
    too_large,
)
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
        wire, self._transport = self._transport, None
        if wire is not None:
            wire.close()

    def exchange(self, request: bytes, *, repeatable: bool) -> Answer:
        """Send a request and read the whole answer.

        `repeatable` allows a second attempt on a new connection, if the old one ended before any byte of an answer.
        Raises ExchangeError when no answer came, MalformedAnswerError when it was none that all clients read.
        """
        sent_at = _now()
        self._expired = False
        self.deadline = sent_at + self._patience
        wire = self._transport
        if wire is not None and wire.is_stale():
            self.close()
            wire = None
        try:
            data = self._first_bytes_reused(wire, request, repeatable) if wire else self._first_bytes(request)
            return self._read(data, sent_at)
        except BaseException:
            self.close()
            raise
        finally:
            self.deadline = inf

    def _first_bytes_reused(self, wire: Transport, request: bytes, repeatable: bool) -> bytes:
        """The first bytes of the answer on a connection that served before."""
        cause: OSError | None = None
        data = b""
        try:
            wire.send(request)
            data = wire.receive()
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
        self._transport = wire = self._connector.connect()
        if self._expired:
            raise self._ended(None)
        try:
            wire.send(request)
            data = wire.receive()
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
        end = data.find(_BLANK_LINE)
        if end < 0:
            data, end = self._read_head(data)
        head = self._heads.read(data[:end])
        start = end + 4
        if head.length is not None and len(data) == start + head.length and head.status >= 200:
            body = data[start:]
        else:
            head, body = self._read_body(head, data[start:])
        received_at = _now()
        if not head.keep_alive:
            self.close()
        size = len(body)
        if head.gzip and body:
            body = gunzip(body)
        return Answer(head.status, body, size, head.location, sent_at, received_at)

    def _read_head(self, data: bytes) -> tuple[bytes, int]:
        """Read on until the blank line; the bytes so far and where it stands."""
        while (end := data.find(_BLANK_LINE)) < 0:
            if b"\n\n" in data:
                raise MalformedAnswerError("HTTP-4", "the head's lines end in LF alone")
            if len(data) > MAX_HEAD:
                raise MalformedAnswerError("HTTP-6", f"the head is longer than {MAX_HEAD // 1024} KiB")
            piece = self._more()
            if not piece:
                raise MalformedAnswerError("HTTP-1", "the connection ended within the head")
            data += piece
        return data, end

    def _read_body(self, head: Head, data: bytes) -> tuple[Head, bytes]:
        """Read on until the body's end, past interim answers; the final head and the body as it came."""
        while head.status < 200:
            data, end = self._read_head(data)
            head = self._heads.read(data[:end])
            data = data[end + 4 :]
        if head.chunked:
            return head, self._read_chunks(data)
        if head.length is None:
            return head, self._read_to_end(data)
        return head, self._read_length(head.length, data)

    def _read_length(self, length: int, data: bytes) -> bytes:
        if length > MAX_BODY:
            raise too_large()
        pieces, have = [data], len(data)
        while have < length:
            piece = self._more()
            if not piece:
                raise MalformedAnswerError("HTTP-1", f"Content-Length is {length}, and {have} bytes came")
            pieces.append(piece)
            have += len(piece)
        if have > length:
            self.close()  # what follows the body cannot be the answer to anything
        return b"".join(pieces)[:length]

    def _read_chunks(self, data: bytes) -> bytes:
        chunks = ChunkedBody()
        chunks.feed(data)
        while not chunks.done:
            piece = self._more()
            if not piece:
                raise MalformedAnswerError("HTTP-3", "the connection ended before the last chunk")
            chunks.feed(piece)
        if chunks.surplus:
            self.close()
        return chunks.body

    def _read_to_end(self, data: bytes) -> bytes:
        pieces, have = [data], len(data)
        while piece := self._more():
            pieces.append(piece)
            have += len(piece)
            if have > MAX_BODY:
                raise too_large()
        return b"".join(pieces)

    def _ended(self, cause: OSError | None) -> ExchangeError:
        if self._expired:
            return ExchangeError("timeout", f"no whole answer within {self._patience:g} s")
        limit = limit_of(cause, has_connected=True) if cause is not None else None
        if limit is not None:
            return own_failure(limit)
        if cause is not None and cause.strerror:
            return ExchangeError("reset", f"the connection broke before the answer: {cause.strerror}")
        return ExchangeError("reset", "the server closed the connection without an answer")
