"""Reads the elements of one list deep in a JSON text of any length: only one element is ever held.

Python's own scanner reads each element, from a window of the text that slides on. What is known of such texts is kept:
halves of surrogate pairs stay what they are, and a text that nests without end is refused and not counted out.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

_PIECE: Final = 1024 * 1024
_NEAR: Final = 32
"""Characters before the end of the window within which an error may be nothing but the window's end."""
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_SCAN: Final = json.JSONDecoder(strict=False).raw_decode


class BrokenJsonError(ValueError):
    """The text is no JSON from here on; the message says how."""


class JsonWindow:
    """A window of a JSON text that slides on as values are taken from its beginning."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._is_over = False
        self._why = "it breaks off"

    def _fill(self) -> bool:
        """Take more of the text in; whether there was more."""
        if self._is_over:
            return False
        wanted = max(_PIECE, len(self._text) - self._at)
        data = self._stream.read(wanted)
        try:
            more = self._decode.decode(data, final=len(data) < wanted)
        except UnicodeDecodeError as error:
            more = error.object[: error.start].decode("utf-8", "ignore")
            self._is_over, self._why = True, f"the byte 0x{error.object[error.start]:02X} is no UTF-8"
        self._is_over = self._is_over or len(data) < wanted
        self._text = self._text[self._at :] + more
        self._at = 0
        return bool(more)

    def sign(self) -> str:
        """The next character that is no white space, which stays where it is. Raises BrokenJsonError at the end."""
        while True:
            self._at = _SPACE.match(self._text, self._at).end()  # type: ignore[union-attr]  # it matches anything
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                raise BrokenJsonError(self._why)

    def take(self, signs: str) -> str:
        """The next character, which must be one of these. Raises BrokenJsonError."""
        sign = self.sign()
        if sign not in signs:
            raise BrokenJsonError(f"{sign!r} stands where {' or '.join(signs)} belongs")
        self._at += 1
        return sign

    def value(self) -> Any:
        """The next value. Raises BrokenJsonError."""
        self.sign()
        while True:
            try:
                value, end = _SCAN(self._text, self._at)
            except RecursionError as error:
                raise BrokenJsonError("it nests deeper than anybody reads") from error
            except json.JSONDecodeError as error:
                may_go_on = error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _NEAR
                if not (may_go_on and self._fill()):
                    told = self._why if may_go_on else error.msg
                    raise BrokenJsonError(told) from error
            except ValueError as error:
                raise BrokenJsonError(str(error)) from error
            else:
                if end < len(self._text) or not self._fill():  # a number may go on behind the window
                    self._at = end
                    return value


def elements(stream: BinaryIO, *path: str) -> Iterator[Any]:
    """The elements of the list to which keys lead, from the outermost object inwards. Raises BrokenJsonError."""
    window = JsonWindow(stream)
    for key in path:
        _go_to(window, key)
    window.take("[")
    if window.sign() == "]":
        return
    while True:
        yield window.value()
        if window.take(",]") == "]":
            return


def _go_to(window: JsonWindow, wanted: str) -> None:
    """Go into an object, as far as the value of a key."""
    window.take("{")
    while True:
        key = window.value()
        window.take(":")
        if key == wanted:
            return
        window.value()
        if window.take(",}") == "}":
            raise BrokenJsonError(f"it has no {wanted!r}")
