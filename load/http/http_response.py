"""Reads HTTP/1.1 answers from bytes: the head, the framing of the body, its decoding. No I/O.

A generator reads thousands of answers a second whose heads differ at most in their date, so a head is parsed once and
remembered by its bytes. What no published client could read is refused under the catalogue row that forbids it.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 64 * 1024
MAX_BODY: Final = 16 * 1024 * 1024
"""Bytes of one body, on the wire and decoded: far beyond any task, and no bomb fills the memory."""
_REMEMBERED_HEADS: Final = 512

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?\Z")
_DIGITS = re.compile(rb"[0-9]{1,18}\Z")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\Z")


class MalformedAnswerError(Exception):
    """The answer is no HTTP that every client reads. `requirement` is the catalogue row that it breaks."""

    def __init__(self, requirement: str, sentence: str) -> None:
        super().__init__(sentence)
        self.requirement = requirement
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Head:
    """What the client has to know of an answer's head."""

    status: int
    length: int | None
    """Body bytes on the wire; None where chunks or the end of the connection delimit the body."""
    chunked: bool
    keep_alive: bool
    gzip: bool
    location: str = ""


class HeadReader:
    """Parses heads, remembering the last few hundred different ones."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}

    def read(self, head: bytes) -> Head:
        """The meaning of a head, given without the blank line. Raises MalformedAnswerError."""
        known = self._known.get(head)
        if known is not None:
            return known
        parsed = parse_head(head)
        if len(self._known) >= _REMEMBERED_HEADS:
            self._known.clear()
        self._known[head] = parsed
        return parsed


def parse_head(head: bytes) -> Head:
    """The meaning of a head, given without the blank line. Raises MalformedAnswerError."""
    first, _, rest = head.partition(b"\r\n")
    status_line = _STATUS_LINE.match(first)
    if status_line is None:
        raise MalformedAnswerError("HTTP-4", f"the answer begins with {_shown(first)}, which is no HTTP/1 status line")
    status = int(status_line.group(2))
    headers = _headers(rest)
    connection = b",".join(headers.get(b"connection", ())).lower()
    keep_alive = b"keep-alive" in connection if status_line.group(1) == b"0" else b"close" not in connection
    length, chunked = _framing(status, headers)
    framed = chunked or length is not None
    return Head(
        status=status,
        length=length,
        chunked=chunked,
        keep_alive=keep_alive and framed,
        gzip=_is_gzip(headers.get(b"content-encoding", ())),
        location=b"".join(headers.get(b"location", ())).decode("latin-1"),
    )


def _headers(lines: bytes) -> dict[bytes, list[bytes]]:
    headers: dict[bytes, list[bytes]] = {}
    for line in lines.split(b"\r\n") if lines else ():
        name, colon, value = line.partition(b":")
        if not colon or not name or name != name.strip() or b"\n" in line:
            raise MalformedAnswerError("HTTP-4", f"{_shown(line)} is no header line")
        headers.setdefault(name.lower(), []).append(value.strip())
    return headers


def _framing(status: int, headers: dict[bytes, list[bytes]]) -> tuple[int | None, bool]:
    """How the body ends: its length, or whether it is chunked; neither means that the connection's end is its end."""
    lengths = headers.get(b"content-length", ())
    codings = headers.get(b"transfer-encoding", ())
    if len(lengths) > 1 or any(not _DIGITS.match(length) for length in lengths):
        raise MalformedAnswerError("HTTP-2", f"Content-Length is {_shown(b', '.join(lengths))}, not one number")
    if lengths and codings:
        raise MalformedAnswerError("HTTP-2", "Content-Length and Transfer-Encoding stand in one answer")
    if codings and b",".join(codings).strip().lower() != b"chunked":
        raise MalformedAnswerError("HTTP-2", f"Transfer-Encoding is {_shown(b', '.join(codings))}, not chunked")
    if status < 200 or status in {204, 304}:
        return 0, False
    if codings:
        return None, True
    return (int(lengths[0]) if lengths else None), False


def _is_gzip(encodings: list[bytes] | tuple[()]) -> bool:
    encoding = b",".join(encodings).strip().lower()
    if encoding in {b"", b"identity"}:
        return False
    if encoding in {b"gzip", b"x-gzip"}:
        return True
    raise MalformedAnswerError("ENC-6", f"Content-Encoding is {_shown(encoding)}, which was not offered")


class ChunkedBody:
    """Takes a chunked body apart as its bytes come."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._body = bytearray()
        self._left = 0
        """Bytes of the present chunk still to come, its line end included."""
        self._trailing = False
        self.done = False
        self.surplus = False
        """Bytes came after the end: the connection cannot be used again."""

    def feed(self, data: bytes) -> None:
        """Take the next bytes. Raises MalformedAnswerError."""
        self._buffer += data
        while not self.done and self._advance():
            if len(self._body) > MAX_BODY:
                raise too_large()
        if self.done:
            self.surplus = bool(self._buffer)
        elif self._left == 0 and len(self._buffer) > MAX_HEAD:
            raise MalformedAnswerError("HTTP-3", "a chunk's size line does not end")

    @property
    def body(self) -> bytes:
        """What has come so far, without the chunks' frames."""
        return bytes(self._body)

    def _advance(self) -> bool:
        """Handle one line or one piece of a chunk; False when more bytes are needed first."""
        if self._left:
            return self._take_chunk()
        end = self._buffer.find(b"\r\n")
        if end < 0:
            return False
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        if self._trailing:
            self.done = not line  # trailer lines are read over, up to the blank one
            return True
        size = _CHUNK_SIZE.match(line)
        if size is None:
            raise MalformedAnswerError("HTTP-3", f"{_shown(line)} is no chunk size")
        length = int(size.group(1), 16)
        self._trailing = length == 0
        self._left = length + 2 if length else 0
        return True

    def _take_chunk(self) -> bool:
        if len(self._buffer) < self._left:
            if len(self._buffer) > MAX_BODY:
                raise too_large()
            return False
        piece = self._buffer[: self._left]
        if piece[-2:] != b"\r\n":
            raise MalformedAnswerError("HTTP-3", "a chunk is longer than its size line says")
        self._body += piece[:-2]
        del self._buffer[: self._left]
        self._left = 0
        return True


def too_large() -> MalformedAnswerError:
    """The error for a body beyond the cap."""
    return MalformedAnswerError("", f"the body is larger than {MAX_BODY // (1024 * 1024)} MiB")


def gunzip(body: bytes) -> bytes:
    """The content of a gzip-encoded body. Raises MalformedAnswerError when it is none, or too much."""
    decoder = zlib.decompressobj(wbits=31)
    try:
        content = decoder.decompress(body, MAX_BODY + 1)
    except zlib.error as error:
        raise MalformedAnswerError("ENC-7", f"Content-Encoding says gzip, but the body is none: {error}") from error
    if len(content) > MAX_BODY:
        raise too_large()
    if not decoder.eof:
        raise MalformedAnswerError("ENC-7", "the gzip-encoded body is cut short")
    return content


def _shown(raw: bytes) -> str:
    text = raw[:60].decode("latin-1")
    return repr(text if len(raw) <= 60 else f"{text}...")
