"""A chunked body (RFC 9112 section 7.1), taken apart as its bytes come, with what of its lines breaks a client.

It reads on behind every fault that leaves no doubt where the next line begins.
"""

from __future__ import annotations

import re
from typing import Final, Literal

from sendpoll.core.http.head import Fault
from sendpoll.core.http.limits import BODY_LIMIT, LINE_LIMIT, SIZE_DIGITS

_EXTENSION: Final = (
    rb"(?:;[!#$%&'*+.^_`|~0-9A-Za-z-]*(?:=(?:[!#$%&'*+.^_`|~0-9A-Za-z-]*|\"[\t !#-\[\]-~\x80-\xff]*\"))?)"
)
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,%d})(?:%b*(?<!;))" % (SIZE_DIGITS, _EXTENSION))
"""A size line that all clients read: Node and Dart know no white space in it, and Node no escapes and no bare `;`."""
_ODD_SIZE: Final = re.compile(rb"([0-9A-Fa-f]+)[ \t]*(?:;.*)?", re.DOTALL)
_MANY: Final = 100
"""Trailers from which on nothing else will come."""

Stop = Literal["", "garbage", "flood"]


class ChunkedBody:
    """Feed it what the connection gives; `done` says when the body is whole or cannot become so."""

    def __init__(self) -> None:
        self.body = bytearray()
        """What has come so far, without the frames."""
        self.done = False
        self.stopped: Stop = ""
        """Why it cannot be read on; empty as long as it can, and for a whole one."""
        self.detail = ""
        self.faults: list[Fault] = []
        self.surplus = bytearray()
        """Bytes that have come and are not read yet; once it is done, what stands behind the body."""
        self._left = 0
        """Bytes of the present chunk still to come."""
        self._state: Literal["size", "data", "end", "trailers"] = "size"

    def feed(self, data: bytes | bytearray) -> None:
        """Take the next bytes."""
        self.surplus += data
        while not self.done and self._advance():
            pass

    def cut(self, how: str) -> Fault:
        """What the server broke that did not go on to the end; `how` says what it did instead."""
        return Fault("HTTP-3", f"the server {how} before the last chunk")

    def _advance(self) -> bool:
        """Handle one line or one piece of a chunk; False when more bytes are needed first."""
        if self._state == "data":
            return self._take()
        if self._state == "end":
            return self._end_chunk()
        line = self._line()
        if line is None:
            return False
        return self._begin_chunk(line) if self._state == "size" else self._trailer(line)

    def _take(self) -> bool:
        left, surplus = self._left, self.surplus
        if surplus[left : left + 2] == b"\r\n" and len(self.body) + left <= BODY_LIMIT:  # as nearly always
            self.body += surplus[:left]
            del surplus[: left + 2]
            self._left, self._state = 0, "size"
            return True
        piece = self.surplus[: self._left]
        del self.surplus[: len(piece)]
        self.body += piece
        self._left -= len(piece)
        if len(self.body) > BODY_LIMIT:
            return self._stop("flood", f"the body is larger than {BODY_LIMIT} bytes")
        if self._left:
            return False
        self._state = "end"
        return True

    def _end_chunk(self) -> bool:
        end = bytes(self.surplus[:2])
        if end == b"\r\n":
            del self.surplus[:2]
        elif end[:1] == b"\n":
            del self.surplus[:1]
            self._note_bare_lf()
        elif end in {b"", b"\r"}:
            return False
        else:
            self._fault("HTTP-3", "a chunk is longer than its size says")
            return self._stop("garbage", "in the chunked body")
        self._state = "size"
        return True

    def _begin_chunk(self, line: bytes) -> bool:
        size = _SIZE.fullmatch(line)
        if size is None:
            size = _ODD_SIZE.fullmatch(line)
            self._fault("HTTP-3", f"{line[:24]!r} is no chunk size that all clients read")
            if size is None:
                return self._stop("garbage", "in the chunked body")
        self._left = int(size[1], 16)
        self._state = "data" if self._left else "trailers"
        return True

    def _trailer(self, line: bytes) -> bool:
        if not line:
            self.done = True
            return False
        self._fault("HTTP-3", f"the trailer {line.strip()[:40]!r} stands behind the last chunk")
        if len(self.faults) > _MANY:
            return self._stop("flood", f"more than {_MANY} trailers")
        return True

    def _line(self) -> bytes | None:
        """The next line, without its end; None while it is not whole, or where it never will be."""
        newline = self.surplus.find(b"\n", 0, LINE_LIMIT)
        if newline < 0:
            if len(self.surplus) >= LINE_LIMIT:
                self._fault("HTTP-3", f"{bytes(self.surplus[:16])!r} begins a line that does not end")
                self._stop("flood", "in the chunked body")
            return None
        line = bytes(self.surplus[:newline])
        del self.surplus[: newline + 1]
        if not line.endswith(b"\r"):
            self._note_bare_lf()
            return line
        return line[:-1]

    def _note_bare_lf(self) -> None:
        if not any(fault.requirement == "HTTP-4" for fault in self.faults):
            self._fault("HTTP-4", "a line of the chunked body ends without CR")

    def _fault(self, requirement: str, sentence: str) -> None:
        self.faults.append(Fault(requirement, sentence))

    def _stop(self, why: Stop, detail: str) -> bool:
        self.stopped, self.detail, self.done = why, detail, True
        return False
