"""One request and what came of it, as data: what every check looks at and every report shows."""

from __future__ import annotations

import dataclasses
import functools
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sendpoll.conformance.http.limits import KEPT_BYTES, LARGE_BODY
from sendpoll.core.http.content import Content, read_content
from sendpoll.core.http.head import Fault, Framing, keeps_alive
from sendpoll.core.validation import checker, findings
from sendpoll.schemas.endpoints import endpoints

_METHOD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(r"/(?:[^/\s\x00-\x1f\x7f][^\s\x00-\x1f\x7f]*)?")
_BREAKS = re.compile(r"[\r\n\x00]")
_KEPT_FIELDS = 100
_KEPT_FIELD = 1024
"""Header lines, and characters of each, that are kept as evidence."""


class Intent(StrEnum):
    """Why a request is sent."""

    USE = "use"
    """As the published clients do, in the form that this target takes: it must succeed."""
    SHAPE = "shape"
    """In the form of one published client: whether it succeeds is a requirement of its own."""
    PROBE = "probe"
    """To see what happens: the check that sent it says what may."""


class Failure(StrEnum):
    """Why an exchange has no whole answer."""

    CONNECT = "no connection"
    TIMEOUT = "no answer in time"
    CLOSED = "closed in place of an answer"
    FLOOD = "more bytes than anybody reads"
    GARBAGE = "no HTTP answer"


_CLAUSES = {
    Failure.CONNECT: "it takes no connection",
    Failure.TIMEOUT: "it gives no answer in time",
    Failure.CLOSED: "it closes the connection in place of an answer",
    Failure.FLOOD: "it sends more bytes than anybody reads",
    Failure.GARBAGE: "it sends no HTTP answer",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, to the byte."""

    method: str
    target: str
    """Path and query, without the path of the base URL."""
    headers: tuple[tuple[str, str], ...]
    body: bytes | None = None
    operation: str = ""
    """The operationId that it is a call of; empty for a path that the API does not have."""
    intent: Intent = Intent.USE
    shape: str = ""
    """The client whose bytes it has."""
    probe: str = ""
    """What it tries the server's patience with: `body`; `from` or `auth` as clients come to send them; `odd from` or
    `odd auth` as no client does. The server must survive it."""
    again: bool = False
    """Whether it asks for a workspace that is known to exist."""
    late: bool = False
    """Whether it polls a task whose final status was seen before: no published client asks then."""
    body_apart: bool = False
    """Whether the body follows the head in a packet of its own."""

    def header(self, name: str) -> str | None:
        """The first value of a header, in any case of its name."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def with_header(self, name: str, value: str) -> Request:
        """The same request with another value where a header of this name stands, in any case."""
        headers = tuple((key, value if key.lower() == name else told) for key, told in self.headers)
        return dataclasses.replace(self, headers=headers)

    def head_bytes(self, prefix: str) -> bytes:
        """The bytes of the head; `prefix` is what stands before the target (a path, or a proxy's absolute form).

        Raises ValueError for what would be another request, or several: a target that is no path with one slash before
        it, which behind a proxy's absolute form would name another server, and a line break anywhere.
        """
        if not _METHOD.fullmatch(self.method) or not _TARGET.fullmatch(self.target):
            raise ValueError(f"{self.method!r} {self.target[:80]!r} is no method and path of a request")
        if any(_BREAKS.search(f"{name}{value}") for name, value in self.headers):
            raise ValueError("a header has a line break in it")
        lines = [f"{self.method} {prefix}{self.target} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, as far as it came."""

    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    """Without transfer coding, with content coding."""
    complete: bool
    faults: tuple[Fault, ...] = ()
    framing: Framing = Framing.LENGTH
    """What told the body's end."""
    surplus: bytes = b""
    """What stood on the connection behind the answer."""
    body_bytes: int = -1
    """How long the body was; -1 while all of it is here."""

    def all(self, name: str) -> list[str]:
        """Every value of a header, in any case of its name."""
        return [value for key, value in self.headers if key.lower() == name]

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.all(name)), None)

    @property
    def ok(self) -> bool:
        """Whether clients take it for a success."""
        return 200 <= self.status <= 299

    @property
    def size(self) -> int:
        """Bytes of the whole body, be it here or not."""
        return len(self.body) if self.body_bytes < 0 else self.body_bytes

    @property
    def keeps_alive(self) -> bool:
        """Whether the server said that the connection can be used again."""
        return self.complete and keeps_alive(self.version, self.all("connection"))


@dataclass(frozen=True, slots=True)
class Timing:
    """When things happened, in seconds of one monotonic clock."""

    started: float
    sent: float
    first_byte: float | None
    finished: float
    longest_pause: float
    """The longest silence between sending and the last byte."""


@dataclass(frozen=True)
class Exchange:
    """A request, its answer if one came, and when."""

    number: int
    """Its place in the run, from 1."""
    request: Request
    response: Response | None
    timing: Timing
    failure: Failure | None = None
    detail: str = ""
    """What the operating system or the reader said of the failure."""
    connection: int = 0
    """Which connection it went over."""
    stray: tuple[Fault, ...] = ()
    """Faults of bytes that came to no answer."""

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What of the bytes that came breaks a client."""
        return self.response.faults if self.response else self.stray

    @functools.cached_property
    def content(self) -> Content:
        """The body, decoded and parsed as far as it can be."""
        if self.response is None:
            return Content()
        return read_content(self.response.body, ", ".join(self.response.all("content-encoding")))

    @functools.cached_property
    def findings(self) -> dict[str, str]:
        """Requirement id to what a 2xx answer of the API does that its schema forbids."""
        if not (self.ok and self.request.operation and self.content.parsed):
            return {}
        schema = endpoints()[self.request.operation].response_schema
        if checker(schema)(self.content.value):
            return {}
        return {
            found.requirement: f"{found.path or '/'}: {found.sentence}"
            for found in findings(schema, self.content.value)
        }

    def trimmed(self) -> Exchange:
        """The exchange with no more of it than the report shows, and without what was made of its answer."""
        request, response = dataclasses.replace(self.request, target=self.request.target[:KEPT_BYTES]), self.response
        if response is None:
            return dataclasses.replace(self, request=request)
        fields = tuple((name[:_KEPT_FIELD], _shortened(value)) for name, value in response.headers[:_KEPT_FIELDS])
        short = dataclasses.replace(response, headers=fields, reason=_shortened(response.reason))
        return self._cut(request, short, value=None)

    def lightened(self) -> Exchange:
        """The exchange once it is judged: of a large body, what it says is kept, and the bytes are let go."""
        read, response = self._read, self.response
        if read is None or response is None or max(len(read.text), len(response.body)) < LARGE_BODY:
            return self
        return self._cut(self.request, response, value=read.value)

    @property
    def _read(self) -> Content | None:
        """The content, if anybody has read it yet: to read a large one takes time and memory."""
        return self.__dict__.get("content")

    def _cut(self, request: Request, response: Response, value: Any) -> Exchange:
        cut = dataclasses.replace(response, body=response.body[:KEPT_BYTES], body_bytes=response.size)
        exchange = dataclasses.replace(self, request=request, response=cut)
        read = self._read
        if read is not None:  # a coding can be undone in the whole body alone
            parsed = read.parsed and value is read.value
            said = dataclasses.replace(read, text=read.text[:KEPT_BYTES], value=value, parsed=parsed)
            exchange.__dict__["content"] = said
        return exchange

    @property
    def status(self) -> int:
        """The status, or 0 where no answer came."""
        return self.response.status if self.response else 0

    @property
    def ok(self) -> bool:
        """Whether a whole 2xx answer came."""
        return self.response is not None and self.response.ok and self.failure is None

    @property
    def refused(self) -> bool:
        """Whether the server said that the request was wrong."""
        return 400 <= self.status <= 499

    @property
    def behaviour(self) -> str:
        """The outcome as a clause: "it answers 404 Not Found", "it gives no answer in time"."""
        if self.failure is None:
            return f"it answers {self.outcome}"
        return f"{_CLAUSES[self.failure]} ({self.detail})" if self.detail else _CLAUSES[self.failure]

    @property
    def outcome(self) -> str:
        """In a few words, what came."""
        if self.response is None or self.failure:
            said = f" ({self.detail})" if self.detail else ""
            return f"{self.failure}{said}"
        return f"{self.response.status} {self.response.reason}".strip()


def _shortened(text: str) -> str:
    return text if len(text) <= _KEPT_FIELD else f"{text[:_KEPT_FIELD]}..."
