"""HTTP/1.1 as bytes: what a connection may cost before there is a request, and what is answered to bytes that are none.

uvicorn's protocol takes any head and any number of requests at once, so one connection without a token could fill the
memory. Its h11 protocol bounds both but takes several times as long for a request, so the bounds are put around the
fast one: its parser is given a small piece at a time, and nothing while a request waits for its turn.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

import httptools
from starlette.responses import Response
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT, FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from sendpoll.reference_server.responses import REFUSALS, error_response

HEAD_LIMIT = 64 * 1024
"""Bytes of a head, of trailers, and of anything else in a row that is not of a body."""
HEADERS = 256
"""Fields of a head."""
HEAD_SECONDS = 60.0
"""How long a head may take, from its first byte or from the connection's start."""
STALL_SECONDS = 60.0
"""How long a client may leave its answers unread."""
_PIECE = 2048
"""Bytes that the parser gets at once. What fits in of requests is held at most; a client's request fits whole."""
_LINGER_SECONDS = 2.0
"""How long a client may go on sending what nobody wants. If the connection were closed under it, the system would
throw away the answer that tells it why (RFC 9112 9.6)."""
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=%-]*|\[[0-9A-Fa-f:.vV]+\])(?::[0-9]*)?")


class Fault(NamedTuple):
    """Why bytes are not taken for a request."""

    status: int
    code: str
    message: str


_TOO_LARGE = Fault(431, "head_too_large", f"A head has at most {HEAD_LIMIT} bytes and {HEADERS} fields.")


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol with bounds on what a connection holds, and with JSON for its own refusals."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin with a time limit for the first head."""
        super().connection_made(transport)
        self.flow = _Flow(transport, self)
        self._held = bytearray()
        self._has_head = False
        self._unframed = 0
        self._unanswered: list[RequestResponseCycle] = []
        self._refusal: bytes | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._deadline: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of what is held."""
        self._held.clear()
        self._drop_deadline()
        self._drop_stalled()
        for request in self._unanswered:
            # uvicorn tells only the newest, which may stand behind the one that is worked on.
            request.disconnected = True
            request.message_event.set()
        # uvicorn does so only where the client says goodbye; after a reset its timer would hold the connection on.
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse it, or hold it until its turn; read no more meanwhile."""
        if self._refusal is not None:
            return
        if self._held or self.pipeline or len(data) > _PIECE:
            self._held += data
            self.advance()
        else:
            self._parse(data)

    def holds(self) -> bool:
        """Whether bytes wait for their turn."""
        return bool(self._held)

    def advance(self) -> None:
        """Parse of what is held as much as may be parsed now, and read on if that was all."""
        while self._held and self._may_parse():
            piece = bytes(self._held[:_PIECE])
            del self._held[:_PIECE]
            self._parse(piece)
        if self._held:
            self.flow.pause_reading()
        elif self._may_parse():
            self.flow.resume_reading()

    def _may_parse(self) -> bool:
        if self._refusal is not None or self.pipeline or self.transport.is_closing():
            return False
        return self.cycle is None or self.cycle.response_complete or len(self.cycle.body) <= HIGH_WATER_LIMIT

    def _parse(self, piece: bytes) -> None:
        self._has_head = False
        super().data_received(piece)
        if self._has_head:
            self._unframed = 0
            return
        self._unframed += len(piece)
        if self._refusal is not None:
            return
        if self._unframed > HEAD_LIMIT or len(self.headers or ()) > HEADERS:
            if self.headers or (self.cycle is not None and self.cycle.more_body):
                self._refuse(_TOO_LARGE)
            else:
                self._refuse(Fault(414, "target_too_long", f"The request target is over {HEAD_LIMIT} bytes."))
        elif self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._late)

    # What the parser calls

    def on_headers_complete(self) -> None:
        """Have the request answered, by a refusal if its head breaks a rule that keeps requests apart."""
        self._has_head = True
        if self._deadline is not None:
            self._drop_deadline()
        before = self.cycle
        fault = _fault(self.headers, self.parser)
        if fault is None:
            super().on_headers_complete()
        else:
            self._count(fault.code)
            right, self.app = self.app, refusal(*fault)
            super().on_headers_complete()
            self.app = right
        if self.pipeline:
            self._unanswered = [one for one in (*self._unanswered, before) if not one.response_complete]
        elif self._unanswered:
            self._unanswered = []
        # Trailers come as more headers; the request must not change while it is worked on.
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Count what is not of a body from here on."""
        self._unframed = 0
        super().on_body(body)

    # Refusals

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not read."""
        self._refuse(_malformed(msg))

    def _refuse(self, fault: Fault) -> None:
        """Answer what came before, then this, then no more."""
        self._refusal = _serialised(refusal(*fault))
        self._count(fault.code)
        self._held.clear()
        last: RequestResponseCycle | None = self.cycle
        if last is not None and last.more_body and not last.response_complete:
            # A request whose body broke will never be whole, so this is its answer.
            last.disconnected = True
            last.message_event.set()
            if last.response_started:
                self.transport.close()
                return
            is_waiting = bool(self.pipeline) and self.pipeline.popleft()
            last = self._unanswered[-1] if is_waiting else None
        if last is None or last.response_complete:
            self._hang_up()
        else:
            last.on_response = self._hang_up

    def _hang_up(self) -> None:
        if self.transport.is_closing() or self._refusal is None:
            return
        self.transport.write(self._refusal)
        self._drop_deadline()
        with contextlib.suppress(OSError, NotImplementedError):
            self.transport.write_eof()
        self.flow.resume_reading()
        self._deadline = self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

    def _count(self, code: str) -> None:
        counts = self.app_state.get(REFUSALS)
        if counts is not None:
            counts[code] += 1

    # Time

    def pause_writing(self) -> None:
        """Wait for the client to read, but not for ever."""
        super().pause_writing()
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Write on."""
        self._drop_stalled()
        super().resume_writing()

    def _drop_stalled(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _drop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        self._deadline = None
        if self._unframed:
            self._refuse(Fault(408, "head_too_slow", f"A head may take {HEAD_SECONDS:g} s."))
        else:
            self.transport.close()


class _Flow(FlowControl):
    """Reads on only when nothing is held any more."""

    def __init__(self, transport: asyncio.Transport, protocol: BoundedProtocol) -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        """Soon, not now: uvicorn calls this in the middle of going from one request to the next."""
        if self._protocol.holds():
            self._protocol.loop.call_soon(self._protocol.advance)
        else:
            super().resume_reading()


def refusal(status: int, code: str, message: str) -> Response:
    """The answer to bytes that are no request, which a page may read, and after which the connection is closed."""
    return error_response(status, code, message, {"access-control-allow-origin": "*", "connection": "close"})


def _fault(headers: Sequence[tuple[bytes, bytes]], parser: httptools.HttpRequestParser) -> Fault | None:
    """What is wrong with a head that two readers could take for two different requests (RFC 9112 3.2 and 6.1)."""
    host: bytes | None = None
    for name, value in headers:
        if name == b"host":
            if host is not None:
                return _malformed("It has more than one Host header.")
            host = value
        elif name == b"transfer-encoding" and not _is_chunked_alone(headers, parser):
            return _malformed("Its Transfer-Encoding is not chunked alone, in HTTP/1.1.")
    if host is None and parser.get_http_version() == "1.1":
        return _malformed("It has no Host header.")
    if host is not None and not _is_host(host):
        return _malformed("Its Host header is not a host and perhaps a port.")
    return _TOO_LARGE if len(headers) > HEADERS else None


def _is_chunked_alone(headers: Sequence[tuple[bytes, bytes]], parser: httptools.HttpRequestParser) -> bool:
    codings = [value.strip().lower() for name, value in headers if name == b"transfer-encoding"]
    return codings == [b"chunked"] and parser.get_http_version() == "1.1"


@functools.lru_cache(256)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _malformed(why: str) -> Fault:
    return Fault(400, "malformed_request", why)


def _serialised(response: Response) -> bytes:
    lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
    return b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n", bytes(response.body)])
