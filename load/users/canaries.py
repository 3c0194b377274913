"""Marks every message so that its echo betrays an event which ended up in another task.

A mark is eight random Yi syllables: letters of a script that hardly any answer uses by chance, so three of them in a
row name the message that they were sent with, even where the server cuts its answer into pieces of four characters. An
agent that never repeats what it was told is judged by the oracle alone.

An answer may quote what was said before in its conversation, but no message that was sent after its own.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

_SYLLABLES: Final = "".join(map(chr, range(0xA000, 0xA48D)))
_LENGTH: Final = 8
_WIDTH: Final = 3
"""Syllables in a row that are taken for proof: there are 1.6 billion such."""
_REMEMBERED: Final = 20_000
"""Marks whose owner is known, of the messages sent last."""
_RUN: Final = re.compile(f"[{_SYLLABLES[0]}-{_SYLLABLES[-1]}]{{{_WIDTH},}}")


_FIRST_BYTE: Final = _SYLLABLES[0].encode()[:1]
"""Of every syllable in UTF-8."""


def may_hold_mark(body: bytes) -> bool:
    """Whether a JSON text can hold a mark at all, raw or in escapes; most answers cannot, and to know that is cheap."""
    return _FIRST_BYTE in body or b"\\u" in body


class Mark(NamedTuple):
    """The mark of one message."""

    text: str
    conversation: int
    """Number of the conversation that it was sent in."""
    number: int
    """Its place among all messages of the generator."""

    def is_in(self, text: str) -> bool:
        """Whether a text repeats it, or a piece of it that is proof."""
        return any(piece in text for piece in _pieces(self.text))


class Markers:
    """The marks of one generator's messages, and whose they are."""

    def __init__(self, random_source: random.Random) -> None:
        self._random = random_source
        self._owners: dict[str, Mark] = {}
        self._issued: deque[str] = deque()
        self._count = 0

    def issue(self, conversation: int) -> Mark:
        """A mark for the next message."""
        self._count += 1
        mark = Mark("".join(self._random.choices(_SYLLABLES, k=_LENGTH)), conversation, self._count)
        self._issued.append(mark.text)
        for piece in _pieces(mark.text):
            self._owners[piece] = mark
        if len(self._issued) > _REMEMBERED:
            for piece in _pieces(self._issued.popleft()):
                self._owners.pop(piece, None)
        return mark

    def stranger(self, text: str, own: Mark) -> Mark | None:
        """Whose mark a text holds that no answer to the own message may hold; None if it holds none."""
        for run in _RUN.finditer(text):
            for piece in _pieces(run.group()):
                found = self._owners.get(piece, own)
                if found.conversation != own.conversation or found.number > own.number:
                    return found
        return None


def _pieces(mark: str) -> Iterable[str]:
    return (mark[start : start + _WIDTH] for start in range(len(mark) - _WIDTH + 1))
