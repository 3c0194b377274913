"""What a user is about to ask: drawn before the send, so that nothing the server does decides it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from sendpoll.load.users.caller import FOLLOW_UP, FOLLOW_UP_POLL, MESSAGE, MESSAGE_AFTER_LEAVING, POLL, Call
from sendpoll.load.users.canaries import Mark


class Sent(Enum):
    """When a message is sent, as far as the others of its conversation go."""

    ALONE = 0
    """No other runs."""
    AFTER_LEAVING = 1
    """The one before it was left, and may run."""
    FOLLOW_UP = 2
    """The one before it runs, and its user waits for both."""


CALLS: Final[dict[Sent, tuple[Call, Call]]] = {
    Sent.ALONE: (MESSAGE, POLL),
    Sent.AFTER_LEAVING: (MESSAGE_AFTER_LEAVING, POLL),
    Sent.FOLLOW_UP: (FOLLOW_UP, FOLLOW_UP_POLL),
}
"""The calls that such a message, and the polls of its task, are counted as."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """What a user is about to ask, all of it drawn before the send."""

    text: str
    conversation: str
    mark: Mark
    scheduled_at: float
    """The intended start, by `time.perf_counter`."""
    leaves_after: float | None = None
    """Seconds after the send; None: the user stays to the end."""
    reread: bool = False
    sent: Sent = Sent.ALONE
    second_reader_after: float | None = None
    """Seconds from the message's acceptance until a second device begins to read; None: there is none."""
    follow_up: Errand | None = None
    """What the user writes while this runs; its `scheduled_at` is seconds from this message's acceptance."""

    @property
    def overlaps(self) -> bool:
        """Whether another message of the conversation may run meanwhile."""
        return self.sent is not Sent.ALONE or self.follow_up is not None
