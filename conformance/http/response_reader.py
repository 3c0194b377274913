"""Reads one HTTP/1 answer from bytes as they come, and notes everything in its framing that breaks a client.

An HTTP library either refuses such bytes, and then nothing else of the answer can be judged, or mends them in silence.
This reader does neither: it goes on as RFC 9112 section 6.3 says and keeps the faults. It does no I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sendpoll.conformance.http.content import read_content
from sendpoll.conformance.http.exchange import Failure, Fault, Response
from sendpoll.conformance.http.limits import BODY_LIMIT, HEAD_LIMIT, HEADER_BYTES, HEADER_LINES, KEPT_BYTES, LARGE_BODY

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/(\d+(?:\.\d+)?) (\d{3})(?: (.*))?")
_HEADER_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
_FOLD = re.compile(r"\r?\n[ \t]+")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\r\n]*)?")
_LINE_LIMIT = 16 * 1024
"""Bytes of one line of a chunked body: a size with its extensions, or a trailer."""
_MANY = 100
"""Interim answers, or trailers, from which on nothing else will come."""


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
        self._faults: list[Fault] = []
        self._status: tuple[int, str, str] | None = None
        self._headers: tuple[tuple[str, str], ...] = ()
        self._body_bytes = -1
        self._remaining = 0
        self._complete = False
        self._step: Callable[[], bool] = self._read_head

    @property
    def size(self) -> int:
        """Bytes of the body so far."""
        return len(self._body)

    @property
    def started(self) -> bool:
        """Whether a byte came."""
        return bool(self._buffer) or self._status is not None or bool(self.interim)

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
        elif self._status is None:
            self._fail(Failure.CLOSED, "in the middle of the headers" if self.started else "")
        else:
            self._cut("closed the connection")
            self._fail(Failure.CLOSED, "in the middle of the body")

    def time_out(self) -> None:
        """Nothing more came within the deadline."""
        if self.done:
            return
        if self._status is not None and self._says_all():
            self._cut("went silent")
        self._fail(Failure.TIMEOUT, "in the middle of the answer" if self.started else "")

    def _says_all(self) -> bool:
        """Whether the body is whole, so that its framing is at fault and not a pause in the middle of it."""
        if len(self._body) > LARGE_BODY:
            return False
        coding = next((value for name, value in self._headers if name.lower() == "content-encoding"), None)
        return read_content(bytes(self._body), coding).parsed

    def response(self) -> Response | None:
        """The answer as far as it came; None where not even its head did."""
        if self._status is None:
            return None
        status, reason, version = self._status
        return Response(
            status=status,
            reason=reason,
            version=version,
            headers=self._headers,
            body=bytes(self._body),
            complete=self._complete,
            faults=tuple(self._faults),
            surplus=bytes(self._buffer[:64]) if self._complete else b"",
            body_bytes=self._body_bytes,
        )

    def _fault(self, requirement: str, sentence: str) -> None:
        self._faults.append(Fault(requirement, sentence))

    def _fail(self, failure: Failure, detail: str) -> None:
        self.failure, self.detail, self.done = failure, detail, True

    def _finish(self) -> bool:
        self._complete = self.done = True
        return False

    def _cut(self, how: str) -> None:
        """The body stopped before its end: whose rule that breaks depends on what announced the end."""
        if self._step == self._read_sized:
            self._fault("HTTP-1", f"the server {how} {self._remaining} bytes before the announced length")
        elif self._step == self._read_to_end:
            self._fault("HTTP-1", f"the answer has no length, and the server {how} instead of closing the connection")
        else:
            self._fault("HTTP-3", f"the server {how} before the last chunk")

    def _read_head(self) -> bool:
        end = _HEAD_END.search(self._buffer)
        if (end.end() if end else len(self._buffer)) > HEAD_LIMIT:
            self._fail(Failure.FLOOD, f"more than {HEAD_LIMIT} bytes of headers")
            return False
        if end is None:
            if not self._buffer[:5].startswith(b"HTTP/"[: len(self._buffer)]):
                self._fail(Failure.GARBAGE, f"it begins with {bytes(self._buffer[:32])!r}")
            return False
        head = bytes(self._buffer[: end.end()])
        del self._buffer[: end.end()]
        lines = _FOLD.sub(" ", head.decode("latin-1")).replace("\r\n", "\n").split("\n")
        status_line = _STATUS_LINE.fullmatch(lines[0])
        if status_line is None:
            self._fail(Failure.GARBAGE, f"its first line is {lines[0][:60]!r}")
            return False
        version, status, reason = status_line.group(1), int(status_line.group(2)), status_line.group(3) or ""
        if re.search(rb"(?<!\r)\n", head):
            self._fault("HTTP-4", "a line of the head ends without CR")
        if 100 <= status <= 199 and status != 101:
            self.interim.append(status)
            self._fault("HTTP-5", f"an interim {status} came that nobody had asked for")
            if len(self.interim) > _MANY:
                self._fail(Failure.FLOOD, f"more than {_MANY} interim answers")
            return True
        if version not in {"1.0", "1.1"}:
            self._fault("HTTP-4", f"the status line says HTTP/{version}")
        self._status = (status, reason, version)
        self._headers = self._header_fields([line for line in lines[1:] if line], len(head))
        self._step = self._framing()
        return True

    def _header_fields(self, lines: list[str], size: int) -> tuple[tuple[str, str], ...]:
        if len(lines) >= HEADER_LINES:
            self._fault("HTTP-6", f"the answer has {len(lines)} header lines")
        if size >= HEADER_BYTES:
            self._fault("HTTP-6", f"the answer has {size} bytes of headers")
        found = []
        for line in lines[: 4 * HEADER_LINES]:
            field = _HEADER_LINE.fullmatch(line)
            if field is None:
                self._fault("HTTP-4", f"{line[:60]!r} is no header line")
                continue
            if "\r" in line or "\0" in line:
                self._fault("HTTP-4", f"the value of {field.group(1)} holds a character that ends it for some clients")
            found.append((field.group(1), field.group(2)))
        return tuple(found)

    def _framing(self) -> Callable[[], bool]:
        """How the end of the body is told. RFC 9112 section 6.3, in its order."""
        assert self._status is not None  # noqa: S101 - called behind the status line only
        lengths = [value for name, value in self._headers if name.lower() == "content-length"]
        coded = any("chunked" in value.lower() for name, value in self._headers if name.lower() == "transfer-encoding")
        self._judge_lengths(lengths, coded)
        if self._head_only or self._status[0] in {204, 304}:
            return self._finish
        if coded:
            return self._read_chunk_size
        digits = next((value for value in lengths if re.fullmatch(r"[0-9]{1,15}", value)), None)
        if digits is None:
            return self._read_to_end
        self._remaining = int(digits)
        return self._read_sized

    def _judge_lengths(self, lengths: list[str], coded: bool) -> None:
        if len(lengths) > 1 or any("," in value for value in lengths):
            self._fault("HTTP-2", f"Content-Length stands {len(lengths)} times: {', '.join(lengths)}")
        elif lengths and not re.fullmatch(r"[0-9]+", lengths[0]):
            self._fault("HTTP-2", f"Content-Length {lengths[0]!r} is no number")
        if lengths and coded:
            self._fault("HTTP-2", "Content-Length stands beside Transfer-Encoding")

    def _take(self, count: int) -> None:
        taken = self._buffer[:count]
        del self._buffer[: len(taken)]
        self._body += taken
        self._remaining -= len(taken)
        if len(self._body) > BODY_LIMIT:
            self._fail(Failure.FLOOD, f"the body is larger than {BODY_LIMIT} bytes")
            self._body_bytes = len(self._body)
            del self._body[KEPT_BYTES:]  # nobody reads more of it, and many exchanges are kept

    def _read_sized(self) -> bool:
        self._take(self._remaining)
        return False if self.done or self._remaining else self._finish()

    def _read_to_end(self) -> bool:
        self._take(len(self._buffer))
        return False

    def _line(self) -> bytes | None:
        """The next line of a chunked body, without its end; None while it is not whole, or where it never will be."""
        newline = self._buffer.find(b"\n", 0, _LINE_LIMIT)
        if newline < 0:
            if len(self._buffer) >= _LINE_LIMIT:
                self._fault("HTTP-3", f"{bytes(self._buffer[:16])!r} begins a line that does not end")
                self._fail(Failure.FLOOD, "in the chunked body")
            return None
        line = bytes(self._buffer[:newline])
        del self._buffer[: newline + 1]
        if not line.endswith(b"\r") and not any(fault.requirement == "HTTP-4" for fault in self._faults):
            self._fault("HTTP-4", "a line of the chunked body ends without CR")
        return line.removesuffix(b"\r")

    def _read_chunk_size(self) -> bool:
        line = self._line()
        if line is None:
            return False
        size = _CHUNK_SIZE.fullmatch(line)
        if size is None:
            self._fault("HTTP-3", f"{line[:16]!r} is no chunk size")
            self._fail(Failure.GARBAGE, "in the chunked body")
            return False
        self._remaining = int(size.group(1), 16)
        self._step = self._read_chunk if self._remaining else self._read_trailers
        return True

    def _read_chunk(self) -> bool:
        self._take(self._remaining)
        if self.done or self._remaining or len(self._buffer) < 2:
            return False
        if not self._buffer.startswith(b"\r\n"):
            self._fault("HTTP-3", "a chunk is longer than its size says")
            self._fail(Failure.GARBAGE, "in the chunked body")
            return False
        del self._buffer[:2]
        self._step = self._read_chunk_size
        return True

    def _read_trailers(self) -> bool:
        line = self._line()
        if line is None:
            return False
        if not line.strip():
            return self._finish()
        self._fault("HTTP-3", f"the trailer {line.strip()[:40]!r} stands behind the last chunk")
        if len(self._faults) > _MANY:
            self._fail(Failure.FLOOD, f"more than {_MANY} trailers")
        return True
