"""Whether the target is there: a server that restarts is waited for, and judged by nothing meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

PATIENCE = 15.0
"""Seconds for which a target that answered before may be away until it counts as gone."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which the target took no connection, in seconds of the monotonic clock."""

    began: float
    ended: float


class Presence:
    """Waits for a target that is away, one thread for all. Safe for several threads."""

    def __init__(self, is_there: Callable[[], bool], pause: Callable[[float], None]) -> None:
        """`is_there` tries to connect; `pause` waits, and raises where the run is over."""
        self.outages: list[Outage] = []
        self._is_there = is_there
        self._pause = pause
        self._lock = threading.Lock()

    def was_away_since(self, moment: float) -> bool:
        """Whether an outage ended behind a moment."""
        return any(outage.ended > moment for outage in self.outages)

    def comes_back(self, refused_at: float) -> bool:
        """Wait until a target that refused a connection then takes one again; whether it did in time."""
        with self._lock:
            if self.was_away_since(refused_at):
                return True
            wait = _FIRST_PAUSE
            while time.monotonic() - refused_at < PATIENCE:
                self._pause(wait)
                if self._is_there():
                    self.outages.append(Outage(refused_at, time.monotonic()))
                    return True
                wait = min(_LONGEST_PAUSE, 1.6 * wait)
            return False
