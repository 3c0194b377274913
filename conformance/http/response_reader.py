"""Reads one HTTP/1 answer from bytes as they come, and notes everything in its framing that breaks a client.

An HTTP library either refuses such bytes, and then nothing else of the answer can be judged, or mends them in silence.
This reader does neither: it goes on as RFC 9112 section 6.3 says and keeps the faults. It does no I/O.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sendpoll.conformance.http.exchange import Failure, Response
from sendpoll.conformance.http.limits import KEPT_BYTES, LARGE_BODY
from sendpoll.core.http.chunks import ChunkedBody
from sendpoll.core.http.coding import UndecodableError, decode
from sendpoll.core.http.content import says_all
from sendpoll.core.http.ending import length_cut, unended
from sendpoll.core.http.head import HEAD_END, Fault, Framing, Head, NotHttpError, begins_like_http, parse_head
from sendpoll.core.http.limits import BODY_LIMIT, HEAD_LIMIT

_MANY: Final = 100
"""Interim answers from which on nothing else will come."""


class ResponseReader:
    """Feed it what the socket gives; `done` says when the answer is whole or cannot become so."""

    def __init__(self, *, head_only: bool = False) -> None:
        self.done = False
        self.failure: Failure | None = None
        self.detail = ""
        self.interim: list[int] = []
        self._head_only = head_only
        self._buffer = bytearray()
        self._body = bytearray()
        self._chunks = ChunkedBody()
        self._faults: list[Fault] = []
        self._head: Head | None = None
        self._body_bytes = -1
        self._remaining = 0
        self._complete = False
        self._step: Callable[[], bool] = self._read_head

    @property
    def size(self) -> int:
        """Bytes of the body so far."""
        return len(self._body)

    @property
    def rest(self) -> bytes:
        """What stands behind the answer; it belongs to the next one, where another request was sent before."""
        return bytes(self._buffer) if self.done else b""

    @property
    def started(self) -> bool:
        """Whether a byte came."""
        return bool(self._buffer) or self._head is not None or bool(self.interim)

    def feed(self, data: bytes) -> None:
        """Take bytes in."""
        self._buffer += data
        while not self.done and self._step():
            pass

    def end(self) -> None:
        """The server closed the connection."""
        if self.done:
            return
        if self._step == self._read_to_end:
            self._finish()
        elif self._head is None:
            self._fail(Failure.CLOSED, "in the middle of the headers" if self.started else "")
        else:
            self._cut("closed the connection")
            self._fail(Failure.CLOSED, "in the middle of the body")

    def time_out(self) -> None:
        """Nothing more came within the deadline."""
        if self.done:
            return
        if self._head is not None and self._says_all(self._head):
            self._cut("went silent")
        self._fail(Failure.TIMEOUT, "in the middle of the answer" if self.started else "")

    def _says_all(self, head: Head) -> bool:
        """Whether the body is whole, so that its framing is at fault and not a pause in the middle of it."""
        return len(self._body) <= LARGE_BODY and says_all(bytes(self._body), head.coding)

    def response(self) -> Response | None:
        """The answer as far as it came; None where not even its head did."""
        head = self._head
        if head is None:
            return None
        return Response(
            status=head.status,
            reason=head.reason,
            version=head.version,
            headers=head.headers,
            body=self._plain_body(head),
            complete=self._complete,
            faults=tuple(self._faults),
            framing=head.framing,
            surplus=bytes(self._buffer[:64]) if self._complete else b"",
            body_bytes=self._body_bytes,
        )

    @property
    def stray(self) -> tuple[Fault, ...]:
        """The faults of what came, where no answer came of it."""
        return () if self._head else tuple(self._faults)

    def _plain_body(self, head: Head) -> bytes:
        """The body beneath every transfer coding: that nobody asked for one is a fault of its own, and the only one."""
        body = bytes(self._body)
        if not (self._complete and head.transfer_coding):
            return body
        try:
            return decode(body, head.transfer_coding, BODY_LIMIT)
        except UndecodableError:
            return body

    def _fail(self, failure: Failure, detail: str) -> None:
        self.failure, self.detail, self.done = failure, detail, True

    def _finish(self) -> bool:
        self._complete = self.done = True
        return False

    def _cut(self, how: str) -> None:
        """The body stopped before its end: whose rule that breaks depends on what announced the end."""
        if self._step == self._read_sized:
            self._faults.append(length_cut(how, self._remaining))
        elif self._step == self._read_to_end:
            self._faults.append(unended(how))
        else:
            self._faults.append(self._chunks.cut(how))

    def _read_head(self) -> bool:
        end = HEAD_END.search(self._buffer)
        if (end.end() if end else len(self._buffer)) > HEAD_LIMIT:
            return self._give_up_head()
        if end is None:
            if not begins_like_http(self._buffer):
                self._garbage(f"it begins with {_named(bytes(self._buffer[:32]))}")
            return False
        head = self._parse(bytes(self._buffer[: end.start() + 1]))
        del self._buffer[: end.end()]
        if head is None:
            return False
        self._faults += head.faults
        if head.is_interim:
            self.interim.append(head.status)
            if len(self.interim) > _MANY:
                self._fail(Failure.FLOOD, f"more than {_MANY} interim answers")
            return True
        self._head = head
        self._begin_body(head)
        return True

    def _parse(self, raw: bytes) -> Head | None:
        try:
            return parse_head(raw)
        except NotHttpError as error:
            self._garbage(str(error))
            return None

    def _garbage(self, why: str) -> None:
        self._faults.append(Fault("HTTP-4", f"no HTTP answer: {why}"))
        self._fail(Failure.GARBAGE, why)

    def _give_up_head(self) -> bool:
        """Far more than any client reads: what has come of it is the head, so that its fault can be told."""
        sentence = f"more than {HEAD_LIMIT} bytes of headers"
        head = self._parse(bytes(self._buffer[: self._buffer.rfind(b"\n", 0, HEAD_LIMIT) + 1]))
        if head is not None and not head.is_interim:
            self._head = head
            told = [fault for fault in head.faults if fault.requirement != "HTTP-6"]
            self._faults += [*told, Fault("HTTP-6", f"the answer has {sentence}")]
        self._fail(Failure.FLOOD, sentence)
        return False

    def _begin_body(self, head: Head) -> None:
        if self._head_only or head.framing is Framing.NONE:
            self._step = self._finish
        elif head.length is not None:
            self._remaining = head.length
            self._step = self._read_sized
        else:
            self._step = self._read_chunks if head.framing is Framing.CHUNKED else self._read_to_end

    def _take(self, count: int) -> None:
        taken = self._buffer[:count]
        del self._buffer[: len(taken)]
        self._body += taken
        self._remaining -= len(taken)
        if len(self._body) > BODY_LIMIT:
            self._overflow(f"the body is larger than {BODY_LIMIT} bytes")

    def _overflow(self, detail: str) -> None:
        self._fail(Failure.FLOOD, detail)
        if len(self._body) > BODY_LIMIT:
            self._body_bytes = len(self._body)
            del self._body[KEPT_BYTES:]  # nobody reads more of it, and many exchanges are kept

    def _read_sized(self) -> bool:
        self._take(self._remaining)
        return False if self.done or self._remaining else self._finish()

    def _read_to_end(self) -> bool:
        self._take(len(self._buffer))
        return False

    def _read_chunks(self) -> bool:
        chunks = self._chunks
        told = len(chunks.faults)
        chunks.feed(self._buffer)
        self._buffer.clear()
        self._body = chunks.body
        known = {fault.requirement for fault in self._faults} & {"HTTP-4"}
        self._faults += [fault for fault in chunks.faults[told:] if fault.requirement not in known]
        if not chunks.done:
            return False
        self._buffer = chunks.surplus
        if chunks.stopped == "flood":
            self._overflow(chunks.detail)
            return False
        if chunks.stopped:
            self._fail(Failure.GARBAGE, chunks.detail)
            return False
        return self._finish()


def _named(begin: bytes) -> str:
    """The first bytes of what is no HTTP/1, and what they are where that can be told.

    A server that speaks HTTP/2 begins with a SETTINGS frame on stream 0 (RFC 9113 sections 3.4 and 4.1).
    """
    is_settings = begin[3:4] == b"\x04" and begin[5:9] == b"\0\0\0\0"
    return f"a SETTINGS frame of HTTP/2, which no published client speaks: {begin!r}" if is_settings else repr(begin)
