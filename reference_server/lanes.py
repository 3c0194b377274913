"""Whose tasks run one at a time: those of a conversation, of a workspace or of a token; and who waits or is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from weakref import WeakValueDictionary

from sendpoll.reference_server.errors import BusyError
from sendpoll.reference_server.settings import Settings
from sendpoll.reference_server.states import RUNNING
from sendpoll.reference_server.tasks import TaskView

Lane = tuple[str | bytes, ...]
"""The tasks of one lane run one after the other."""

_LANE_OF: Mapping[str, Callable[[bytes, str, str], Lane]] = {
    "conversation": lambda _owner, _workspace, conversation: (conversation,),
    "workspace": lambda owner, workspace, _conversation: (owner, workspace),
    "token": lambda owner, _workspace, _conversation: (owner,),
}
_SECONDS = 1
"""After which a refused message may be sent again: nobody knows how long an agent takes, and it costs but a poll."""


class Lanes:
    """Knows the lane of a task, and which lanes are taken."""

    def __init__(self, settings: Settings) -> None:
        self._scope = settings.one_task_per or "conversation"
        self._of = _LANE_OF[self._scope]
        self._refuses = settings.one_task_per is not None and settings.when_busy != "queue"
        # A view that nobody holds any more is of a task that has ended.
        self._taken: WeakValueDictionary[Lane, TaskView] = WeakValueDictionary()

    def take(self, owner: bytes, workspace: str, conversation: str, view: TaskView) -> Lane:
        """The lane for a new task, of which `view` tells the status. Raises BusyError where another one has it.

        It is taken until that status is final, which is the moment at which a client can see that it is.
        """
        lane = self._of(owner, workspace, conversation)
        if self._refuses:
            last = self._taken.get(lane)
            if last is not None and last.status == RUNNING:
                what = f"A task of this {self._scope} runs; send the message again when it has ended."
                raise BusyError("task_running", what, _SECONDS)
            self._taken[lane] = view
        return lane

    def leave(self, lane: Lane) -> None:
        """Free the lane of a task that never came to be."""
        self._taken.pop(lane, None)
