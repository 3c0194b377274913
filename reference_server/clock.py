"""Time, as the core sees it: passed in, so that tests can own it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """A clock that only goes forward, in seconds."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Return at that moment; at once if it has passed."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Seconds since some fixed moment."""
        return time.monotonic()

    async def sleep_until(self, moment: float) -> None:
        """Return at that moment; at once if it has passed."""
        delay = moment - time.monotonic()
        if delay > 0:
            await asyncio.sleep(delay)
