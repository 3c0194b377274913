"""Marks every message so that its echo betrays an event which ended up in another task.

A mark is eight random Yi syllables: letters of a script that hardly any answer uses by chance, so three of them in a
row name the message that they were sent with, even where the server cuts its answer into pieces of four characters. An
agent that never repeats what it was told is judged by the oracle alone.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterable
from typing import Final

_SYLLABLES: Final = "".join(map(chr, range(0xA000, 0xA48D)))
_LENGTH: Final = 8
_WIDTH: Final = 3
"""Syllables in a row that are taken for proof: there are 1.6 billion such."""
_REMEMBERED: Final = 20_000
"""Marks whose owner is known, of the messages sent last."""
_RUN: Final = re.compile(f"[{_SYLLABLES[0]}-{_SYLLABLES[-1]}]{{{_WIDTH},}}")


class Markers:
    """The marks of one generator's messages, and whose they are."""

    def __init__(self, random_source: random.Random) -> None:
        self._random = random_source
        self._owners: dict[str, int] = {}
        self._issued: deque[str] = deque()

    def issue(self, owner: int) -> str:
        """A new mark, owned by a conversation."""
        mark = "".join(self._random.choices(_SYLLABLES, k=_LENGTH))
        self._issued.append(mark)
        for piece in _pieces(mark):
            self._owners[piece] = owner
        if len(self._issued) > _REMEMBERED:
            for piece in _pieces(self._issued.popleft()):
                self._owners.pop(piece, None)
        return mark

    def foreign(self, text: str, owner: int) -> str | None:
        """A piece of another conversation's mark in this text; None if it holds none."""
        for run in _RUN.finditer(text):
            for piece in _pieces(run.group()):
                if self._owners.get(piece, owner) != owner:
                    return piece
        return None


def _pieces(mark: str) -> Iterable[str]:
    return (mark[start : start + _WIDTH] for start in range(len(mark) - _WIDTH + 1))
