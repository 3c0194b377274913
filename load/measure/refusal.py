"""How a sane server says that it takes no more now: the statuses, and what each of them tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OF_ANY_CALL: Final = {429: "too many requests", 503: "overloaded or away"}
"""What any call may be answered."""
OF_NEW_WORK: Final = {409: "busy", 423: "locked", 425: "too early"}
"""What a new message or conversation may be answered besides, because another task runs."""
REASONS: Final = OF_ANY_CALL | OF_NEW_WORK
OF_THE_SERVICE: Final = frozenset({409, 423, 425, 429})
"""How a service says that a token, or a workspace, has had its share. With 503 one replica says that it is full."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A server takes no more now, and may later."""

    status: int
    retry_after_s: float | None = None
    """When it asks to be called again, in seconds; None where it does not say."""
