"""Keeps a key out of text that somebody who knows it writes.

It is found by value: as it stands, also where pieces of text that come one after the other cut it. Who means to give a
key away in another form, such as letter by letter, cannot be kept from it.
"""

from __future__ import annotations

import logging
import re

_LEAST = 8
"""Characters. What is shorter is the placeholder of a server that asks for no key, such as `none` or `ollama`, and a
word that an answer may well hold."""
_SHOWN = "[key]"


class Redactor:
    """Takes a key out of one text that comes in pieces."""

    def __init__(self, key: str) -> None:
        self._key = key if len(key) >= _LEAST else ""
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be passed on so far: all but an end that may be the beginning of the key."""
        if not self._key:
            return piece
        text = (self._held + piece).replace(self._key, _SHOWN)
        begin = max(0, len(text) - len(self._key) + 1)
        while (begin := text.find(self._key[0], begin)) >= 0 and not self._key.startswith(text[begin:]):
            begin += 1
        end = len(text) if begin < 0 else begin
        self._held = text[end:]
        return text[:end]

    def end(self) -> str:
        """What is left at the end of the text."""
        rest, self._held = self._held, ""
        return _SHOWN if len(rest) >= _LEAST else rest


def redacted(text: str, key: str) -> str:
    """A whole text without a key, which may be short there: as a word of its own it is taken out all the same."""
    if key and len(key) < _LEAST:
        return re.sub(rf"(?<!\w){re.escape(key)}(?!\w)", _SHOWN, text)
    redactor = Redactor(key)
    return redactor.feed(text) + redactor.end()


class KeyFilter(logging.Filter):
    """Takes a key out of what a library says of an exchange, such as the reason phrase that the other side chose."""

    def __init__(self, key: str) -> None:
        super().__init__()
        self._key = key

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        if self._key and self._key in (said := record.getMessage()):
            record.msg, record.args = redacted(said, self._key), ()
        return True
