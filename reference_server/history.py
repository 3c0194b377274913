"""What a conversation held before a task, for agents that want to see it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

from sendpoll.reference_server.agents.base import Turn
from sendpoll.reference_server.reader import Reader

_TURNS = 20
"""Earlier messages that an agent is shown at most."""
_BYTES = 1024 * 1024
"""The events of all of them together, so that a conversation of long answers is not held in memory whole."""


def turns_before(reader: Reader, number: int) -> tuple[Turn, ...]:
    """The last completed turns before a task in its conversation, oldest first. Raises StorageError.

    It reads on a connection of its own, since it takes its time and so belongs into a thread.
    """
    with contextlib.closing(reader.apart()) as own:
        return tuple(reversed(list(_newest_first(own, number))))


def _newest_first(reader: Reader, number: int) -> Iterator[Turn]:
    left = _BYTES
    for earlier, request, count in reader.earlier(number, _TURNS):
        answer = reader.events(earlier, 0, count, left)
        # A turn that is not whole, because it is too long or its beginning was forgotten, would mislead.
        if not answer.is_whole or answer.first > 0:
            return
        left -= sum(map(len, answer.bodies))
        yield Turn.of(json.loads(request)["message"], map(json.loads, answer.bodies))
