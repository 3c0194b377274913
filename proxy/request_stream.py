"""Reads along as a client's requests go by: where each begins and ends, and what it asks. Does no I/O.

What is no request of HTTP/1 goes by as it is, and so does all that comes behind it on its connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

from sendpoll.core.http.chunks import ChunkedBody
from sendpoll.core.http.head import HEAD_END
from sendpoll.core.http.limits import HEAD_LIMIT

KEPT_BODY: Final = 1024 * 1024
"""Bytes of a request's body that are kept."""
_LINE: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\s]+) HTTP/(1\.[01])\r?")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):(.*)", re.DOTALL)


@dataclass(slots=True)
class PassingRequest:
    """One request, as far as it has gone by."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    raw: bytearray = field(default_factory=bytearray)
    """Its bytes as they are sent on, for who sends them again; not more than its head and what is kept of its body."""
    body: bytearray = field(default_factory=bytearray)
    """Without chunks."""
    body_bytes: int = 0

    def header(self, name: str) -> str | None:
        """The first value of a header, in any case of its name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    @property
    def is_kept(self) -> bool:
        """Whether all of its body is here."""
        return self.body_bytes == len(self.body)


@dataclass(frozen=True, slots=True)
class Passing:
    """Bytes to be sent on, and the request that they are of; None where they are of none."""

    data: bytes
    request: PassingRequest | None = None
    begins: bool = False
    ends: bool = False


class RequestStream:
    """The requests of one connection, one behind the other."""

    def __init__(self, own: frozenset[bytes], authority: bytes) -> None:
        """A Host that names us by one of `own` is sent on as `authority`, as the client would have written it."""
        self._own = own
        self._authority = authority
        self._buffer = bytearray()
        self._step: Literal["head", "sized", "chunks", "blind"] = "head"
        self._request: PassingRequest | None = None
        self._left = 0
        self._chunks = ChunkedBody()

    def feed(self, data: bytes) -> Iterator[Passing]:
        """Take the next bytes; what of them can be sent on."""
        self._buffer += data
        while self._buffer:
            passing = self._next()
            if passing is None:
                return
            yield passing

    def rest(self) -> bytes:
        """What was held back of a head that has not come to its end."""
        held = bytes(self._buffer)
        self._buffer.clear()
        return held

    def _next(self) -> Passing | None:
        if self._step == "blind":
            return Passing(self.rest())
        if self._step == "head":
            return self._head()
        return self._sized() if self._step == "sized" else self._chunked()

    def _head(self) -> Passing | None:
        begin = len(self._buffer) - len(self._buffer.lstrip(b"\r\n"))
        end = HEAD_END.search(self._buffer, begin)
        if end is None:
            if len(self._buffer) <= HEAD_LIMIT:
                return None
            self._step = "blind"
            return Passing(self.rest())
        raw = bytes(self._buffer[: end.end()])
        request = _parsed(raw[begin:])
        if request is None:
            self._step = "blind"
            return Passing(self.rest())
        del self._buffer[: end.end()]
        raw = self._addressed(raw, request)
        request.raw += raw
        self._request = request
        return Passing(raw, request, begins=True, ends=self._begin_body(request))

    def _begin_body(self, request: PassingRequest) -> bool:
        """Whether there is no body."""
        if "chunked" in (request.header("transfer-encoding") or "").lower():
            self._chunks, self._step = ChunkedBody(), "chunks"
            return False
        length = request.header("content-length") or "0"
        if not (length.isascii() and length.isdigit()) or len(length) > 15:
            self._step = "blind"
            return True
        self._left = int(length)
        self._step = "sized" if self._left else "head"
        return not self._left

    def _sized(self) -> Passing:
        data = bytes(self._buffer[: self._left])
        del self._buffer[: len(data)]
        self._left -= len(data)
        if not self._left:
            self._step = "head"
        return self._body(data, data, ends=not self._left)

    def _chunked(self) -> Passing:
        data, known = bytes(self._buffer), len(self._chunks.body)
        self._buffer.clear()
        self._chunks.feed(data)
        if self._chunks.done:
            behind = bytes(self._chunks.surplus)
            data = data[: len(data) - len(behind)] if behind else data
            self._buffer += behind
            self._step = "blind" if self._chunks.stopped else "head"
        return self._body(data, bytes(self._chunks.body[known:]), ends=self._chunks.done)

    def _body(self, data: bytes, content: bytes, *, ends: bool) -> Passing:
        request = self._request
        assert request is not None  # noqa: S101 - a body has a head before it
        request.body_bytes += len(content)
        if request.body_bytes <= KEPT_BODY:
            request.body += content
            request.raw += data
        return Passing(data, request, ends=ends)

    def _addressed(self, raw: bytes, request: PassingRequest) -> bytes:
        """The head with the server's own name in the one Host that names us; as it is where there is another."""
        hosts = [value for name, value in request.headers if name.lower() == "host"]
        if len(hosts) != 1 or hosts[0].lower().encode("latin-1") not in self._own:
            return raw
        request.headers = tuple(
            (name, self._authority.decode("latin-1") if name.lower() == "host" else value)
            for name, value in request.headers
        )
        return re.sub(
            rb"(?im)^(host:[ \t]*)[^\r\n]*?([ \t]*\r?)$", rb"\g<1>" + self._authority + rb"\g<2>", raw, count=1
        )


def _parsed(raw: bytes) -> PassingRequest | None:
    first, *lines = raw.rstrip(b"\r\n").split(b"\n")
    line = _LINE.fullmatch(first)
    if line is None:
        return None
    fields = [_FIELD.fullmatch(one.rstrip(b"\r")) for one in lines]
    headers = tuple(
        (one[1].decode("latin-1"), one[2].strip(b" \t").decode("latin-1")) for one in fields if one is not None
    )
    return PassingRequest(line[1].decode("latin-1"), line[2].decode("latin-1"), headers)
