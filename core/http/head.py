"""The head of an answer: its lines, what they say of the body's end, and what of both breaks a published client.

RFC 9112 is where it is read from, and the clients decide what of it is a fault: a folded line is none to any of them
unless it stands in a header that they act on, a control character in a value is one to Node.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, NamedTuple

from sendpoll.core.http.limits import HEADER_BYTES, HEADER_LINES, LENGTH_DIGITS

HEAD_END: Final = re.compile(rb"\n\r?\n")
"""The blank line behind a head, with the end of the line in front of it."""

_TOKEN: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's word for a word, no secret
_CLEAN: Final = re.compile(
    rb"HTTP/1\.[01] [1-9][0-9][0-9](?: [^\0\r\n]*)?\r\n"
    rb"(?:" + _TOKEN.encode() + rb":[\t\x20-\x7e\x80-\xff]*\r\n)*+"
)
"""A head in which no line can hurt anybody."""
_STATUS_LINE: Final = re.compile(r"HTTP/(\d+(?:\.\d+)?)[ \t]+(\d{3})(?!\d)(?:[ \t]+(.*))?", re.DOTALL)
_PLAIN_STATUS_LINE: Final = re.compile(r"HTTP/1\.[01] [1-9]\d\d(?: [^\0\r]*)?", re.ASCII)
_FIELD: Final = re.compile(rf"({_TOKEN}):(.*)", re.DOTALL)
_CONTROL: Final = re.compile(r"[\0-\x08\x0b-\x1f\x7f]")
_BARE_LF: Final = re.compile(rb"(?<!\r)\n")
_ACTED_ON: Final = frozenset({"content-length", "transfer-encoding", "content-encoding"})
_MEANT: Final = frozenset({*_ACTED_ON, "connection", "location"})
_BODILESS: Final = frozenset({204, 304})
_SHOWN: Final = 60
_KEPT_LINES: Final = 4 * HEADER_LINES


@dataclass(frozen=True, slots=True)
class Fault:
    """Something about the bytes of an answer that breaks a client."""

    requirement: str
    sentence: str


class Framing(Enum):
    """What tells the end of a body. RFC 9112 section 6.3."""

    NONE = "no body"
    LENGTH = "Content-Length"
    CHUNKED = "chunks"
    TO_END = "the end of the connection"


class Head(NamedTuple):
    """A status line and header fields, and what they mean. A tuple, since some servers send a new one each time."""

    status: int
    reason: str
    version: str
    headers: tuple[tuple[str, str], ...]
    """Values without white space around them, a folded one as one line."""
    faults: tuple[Fault, ...]
    framing: Framing
    length: int | None
    """Bytes of the body; None where chunks or the end of the connection tell its end."""
    keeps_alive: bool
    """Whether the connection can be used again when the body has ended."""
    location: str
    """Where a redirect leads; empty where there is no Location."""
    coding: str
    """Content-Encoding in lower case, all of its values joined; empty where there is none."""
    transfer_coding: str
    """What the body is coded as beneath its chunks; empty, as nobody asks for anything."""

    @property
    def is_interim(self) -> bool:
        """Whether another head follows. Behind 101 another protocol does."""
        return 100 <= self.status <= 199 and self.status != 101


class NotHttpError(ValueError):
    """The bytes do not begin with a status line that anything can be made of."""


def parse_head(raw: bytes) -> Head:
    """Read a head, given with the ends of its lines and without the blank line. Raises NotHttpError."""
    faults: list[Fault] = []
    if _CLEAN.fullmatch(raw):
        first, *lines = raw[:-2].decode("latin-1").split("\r\n")
        version, status, reason = first[5:8], int(first[9:12]), first[13:]
        fields = [(line[: (at := line.index(":"))], line[at + 1 :].strip(" \t")) for line in lines]
        folded: frozenset[str] = frozenset()
    else:
        first, *lines = _lines(raw, faults)
        version, status, reason = _status(first, faults)
        fields, folded = _fields(lines, faults)
    if len(lines) >= HEADER_LINES or len(raw) >= HEADER_BYTES:
        _judge_size(lines, fields, faults)
    faults += [
        Fault("HTTP-4", f"{name} is folded over two lines, and clients read one of them")
        for name in sorted(folded & _ACTED_ON)
    ]
    if 100 <= status <= 199:
        faults.append(Fault("HTTP-5", f"an interim {status} came that nobody had asked for"))
    return _meaning(raw, (version, status, reason), fields, faults)


def begins_like_http(data: bytes | bytearray) -> bool:
    """Whether a status line may come of the first bytes of an answer."""
    return data[:5] == b"HTTP/"[: len(data)]


def keeps_alive(version: str, connection: Sequence[str]) -> bool:
    """Whether the server said that the connection can be used again. RFC 9112 section 9.3."""
    if not connection:
        return version == "1.1"
    options = {token.strip().lower() for value in connection for token in value.split(",")}
    return "close" not in options and (version == "1.1" or "keep-alive" in options)


def _lines(raw: bytes, faults: list[Fault]) -> list[str]:
    if _BARE_LF.search(raw):
        faults.append(Fault("HTTP-4", "a line of the head ends without CR"))
    return raw.decode("latin-1").replace("\r\n", "\n").removesuffix("\n").split("\n")


def _status(line: str, faults: list[Fault]) -> tuple[str, int, str]:
    parts = _STATUS_LINE.fullmatch(line)
    if parts is None:
        raise NotHttpError(f"its first line is {line[:_SHOWN]!r}")
    if not _PLAIN_STATUS_LINE.fullmatch(line):
        faults.append(Fault("HTTP-4", f"the status line is {line[:_SHOWN]!r}, not HTTP/1.1 and a status from 100 on"))
    return parts[1], int(parts[2]), parts[3] or ""


def _fields(lines: Sequence[str], faults: list[Fault]) -> tuple[list[tuple[str, str]], frozenset[str]]:
    """The fields, folded lines joined to theirs (RFC 9112 section 5.2), and the names of those that were folded."""
    fields: list[tuple[str, str]] = []
    folded = set()
    for line in lines[:_KEPT_LINES]:
        if line[:1] in {" ", "\t"} and fields:
            name, value = fields[-1]
            folded.add(name.lower())
            rest = line.strip(" \t")
            fields[-1] = name, f"{value} {rest}".strip(" ")
        elif parts := _FIELD.fullmatch(line):
            name, rest = parts[1], parts[2]
            fields.append((name, rest.strip(" \t")))
        else:
            faults.append(Fault("HTTP-4", f"{line[:_SHOWN]!r} is no header line"))
            continue
        if _CONTROL.search(rest):
            faults.append(Fault("HTTP-4", f"the value of {name} holds a control character, which clients refuse"))
    return fields, frozenset(folded)


def _judge_size(lines: Sequence[str], fields: Sequence[tuple[str, str]], faults: list[Fault]) -> None:
    size = sum(len(name) + len(value) for name, value in fields)
    if len(lines) >= HEADER_LINES:
        faults.append(Fault("HTTP-6", f"the answer has {len(lines)} header lines"))
    elif size >= HEADER_BYTES:
        faults.append(Fault("HTTP-6", f"the answer has {size} bytes of headers"))


def _meaning(
    raw: bytes, status_line: tuple[str, int, str], fields: Sequence[tuple[str, str]], faults: list[Fault]
) -> Head:
    version, status, reason = status_line
    named: dict[str, list[str]] = {}
    for name, value in fields:
        key = name.lower()
        if key in _MEANT:
            named.setdefault(key, []).append(value)
    lengths = named.get("content-length", [])
    codings = [value.lower() for value in named.get("transfer-encoding", ()) if value]
    if lengths:
        _judge_lengths(lengths, codings, raw, faults)
    under: list[str] = []
    if codings:
        _judge_transfer(version, codings, faults)
        under = [one.strip() for value in codings for one in value.split(",")]
    framing, length = _framing(status, lengths, codings)
    return Head(
        status=status,
        reason=reason,
        version=version,
        headers=tuple(fields),
        faults=tuple(faults),
        framing=framing,
        length=length,
        keeps_alive=framing is not Framing.TO_END and keeps_alive(version, named.get("connection", ())),
        location="".join(named.get("location", ())),
        coding=", ".join(named["content-encoding"]).strip().lower() if "content-encoding" in named else "",
        transfer_coding=", ".join(one for one in under if one not in {"", "identity"} and "chunked" not in one)
        if under
        else "",
    )


def _judge_lengths(lengths: Sequence[str], codings: Sequence[str], raw: bytes, faults: list[Fault]) -> None:
    """HTTP-2, as far as Content-Length goes: Node refuses even a tab beside the digits."""
    if len(lengths) > 1 or "," in lengths[0]:
        told = f"Content-Length stands {len(lengths)} times: {', '.join(lengths)[:_SHOWN]}"
        faults.append(Fault("HTTP-2", told))
    elif not (lengths[0].isascii() and lengths[0].isdigit()):
        faults.append(Fault("HTTP-2", f"Content-Length {lengths[0][:_SHOWN]!r} is no number"))
    elif len(lengths[0].lstrip("0")) > LENGTH_DIGITS:
        faults.append(Fault("HTTP-2", f"Content-Length {lengths[0][:_SHOWN]!r} is more than clients can count"))
    elif b"\t" in raw and re.search(rb"(?i)\ncontent-length:[^\r\n]*\t", raw):
        faults.append(Fault("HTTP-2", "a tab stands beside the digits of Content-Length"))
    if codings:
        faults.append(Fault("HTTP-2", "Content-Length stands beside Transfer-Encoding"))


def _judge_transfer(version: str, codings: Sequence[str], faults: list[Fault]) -> None:
    """HTTP-2, as far as Transfer-Encoding goes: chunked, on a line of its own, is what all clients undo."""
    shown = ", ".join(codings)[:_SHOWN]
    if any(value not in {"chunked", "identity"} for value in codings):
        faults.append(Fault("HTTP-2", f"Transfer-Encoding is {shown!r}, and clients undo chunked alone"))
    elif "chunked" in codings and codings[-1] != "chunked":
        faults.append(Fault("HTTP-2", f"Transfer-Encoding is {shown!r}: something stands behind chunked"))
    elif "chunked" in codings and version == "1.0":
        faults.append(Fault("HTTP-2", "an HTTP/1.0 answer is chunked, which clients of it do not undo"))


def _framing(status: int, lengths: Sequence[str], codings: Sequence[str]) -> tuple[Framing, int | None]:
    if status in _BODILESS or 100 <= status <= 199:
        return Framing.NONE, 0
    if codings and any("chunked" in value for value in codings):
        return Framing.CHUNKED, None
    digits = next((one for one in lengths if one.isascii() and one.isdigit()), None) if lengths else None
    if digits is None or len(digits.lstrip("0")) > LENGTH_DIGITS:
        return Framing.TO_END, None
    return Framing.LENGTH, int(digits)
