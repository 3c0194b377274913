"""Marks every message so that its echo betrays an event which ended up in another task.

A mark is eight random letters of scripts that hardly any answer uses by chance (Yi syllables, and the rare ideographs
of CJK Extension A, each one UTF-16 unit and three bytes of UTF-8). Four of them in a row name the message that they
were sent with, even where the server cuts its answer into pieces of four characters. An agent that never repeats what
it was told is judged by the oracle alone.

An answer may quote what was said before in its conversation, but no message that was sent after its own.

No two marks are taken for one another by chance. There are 7,757 letters, so 7,757^4 = 3.6e15 pieces of four, and a
mark has five. With 1,000 messages in flight, an echo is mistaken where one of its 5 pieces was drawn again for one of
the 999 marks that were issued while it was awaited: 5 * 5 * 1,000 / 3.6e15 = 7e-12 a task, so 7e-5 false alarms in ten
million tasks. An answer that quotes ten messages which are long forgotten meets the 100,000 pieces that are remembered:
10 * 5 * 100,000 / 3.6e15 = 1.4e-9, so one in seventy runs of ten million such answers.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterable
from typing import Final, NamedTuple

_RANGES: Final = ((0x3400, 0x4DBF), (0xA000, 0xA48C))
"""CJK Unified Ideographs Extension A, Yi Syllables."""
LETTERS: Final = "".join(chr(point) for first, last in _RANGES for point in range(first, last + 1))
LENGTH: Final = 8
WIDTH: Final = 4
"""Letters in a row that are taken for proof."""
REMEMBERED: Final = 20_000
"""Marks whose owner is known, of the messages sent last."""
_RUN: Final = re.compile(f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in _RANGES)}]{{{WIDTH},}}")
_FIRST_BYTES: Final = re.compile(b"[" + bytes(sorted({letter.encode()[0] for letter in LETTERS})) + b"]")
"""Of every letter in UTF-8."""


def may_hold_mark(body: bytes) -> bool:
    """Whether a JSON text can hold a mark at all, raw or in escapes; most answers cannot, and to know that is cheap."""
    return b"\\u" in body or not (body.isascii() or _FIRST_BYTES.search(body) is None)


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
        mark = Mark("".join(self._random.choices(LETTERS, k=LENGTH)), conversation, self._count)
        self._issued.append(mark.text)
        for piece in _pieces(mark.text):
            self._owners[piece] = mark
        if len(self._issued) > REMEMBERED:
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
    return (mark[start : start + WIDTH] for start in range(len(mark) - WIDTH + 1))
