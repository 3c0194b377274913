"""What a server has given and taken so far in a recording: workspaces, conversations, tasks and tokens, in bounds."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from typing import TypeVar

from sendpoll.core.oracle import TaskHistory

_MOST = 100_000
"""Things of one kind that are remembered; the oldest are forgotten first."""
K = TypeVar("K")
V = TypeVar("V")


class BoundedMap(MutableMapping[K, V]):
    """A mapping that forgets what was put in first when it is full."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._held: dict[K, V] = {}

    def __getitem__(self, key: K) -> V:
        return self._held[key]

    def __setitem__(self, key: K, value: V) -> None:
        self._held[key] = value
        if len(self._held) > self._most:
            del self._held[next(iter(self._held))]

    def __delitem__(self, key: K) -> None:
        del self._held[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


@dataclass(slots=True)
class GivenTask:
    """A task whose message, or whose polls, the recording shows."""

    task_id: str
    message: str | None = None
    """The beginning of what was asked; None where the recording does not have it."""
    sent_at: float = 0.0
    token: str = ""
    is_made_here: bool = False
    """Whether the recording shows the answer that gave its id."""
    ended_at: float | None = None
    """When its first final status had come."""
    polled: weakref.ref[TaskHistory] | None = None
    """What its polls have shown so far, as long as it is looked at: ids are remembered for longer than logs."""

    def gave(self, offset: int) -> bool:
        """Whether it is known to have given out an offset."""
        history = self.polled() if self.polled else None
        return offset == 0 or (history is not None and offset in history.offsets)


class KnownIds:
    """Ids by kind; who asks with one that is not here may have made it up, or had it before the recording began."""

    def __init__(self) -> None:
        self.workspaces: BoundedMap[str, float] = BoundedMap()
        """The name to when it was first answered for."""
        self.ensured: BoundedMap[str, float] = BoundedMap()
        """The name to when the last request that ensured it was answered, however it was."""
        self.conversations: BoundedMap[str, str] = BoundedMap()
        """The id to the token that it was given to."""
        self.tasks: BoundedMap[str, GivenTask] = BoundedMap()
        self.tokens: BoundedMap[str, float] = BoundedMap()
        """The tokens that the server took, and when it did last."""

    def task(self, task_id: str, at: float) -> GivenTask:
        """What is known of a task; from now on, that it was heard of."""
        found = self.tasks.get(task_id)
        if found is None:
            found = self.tasks[task_id] = GivenTask(task_id, sent_at=at)
        return found
