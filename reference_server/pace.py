"""How many requests a second one caller may send."""

from __future__ import annotations

import math

from sendpoll.reference_server.clock import Clock
from sendpoll.reference_server.errors import PaceError


class Pace:
    """A bucket of one second's requests for each caller, filled at the rate: who was silent may send that many at once.

    Kept as the moment at which the bucket is full again (the generic cell rate algorithm of ITU-T I.371), so a caller
    costs one number.
    """

    def __init__(self, rate: float, clock: Clock) -> None:
        """`rate` in requests a second, above 0."""
        self._interval = 1 / rate
        self._room = max(rate, 1.0) * self._interval
        self._clock = clock
        self._full: dict[bytes | None, float] = {}

    def admit(self, caller: bytes | None) -> None:
        """Count one request of a caller; all who are unknown are one. Raises PaceError, and then counts nothing."""
        now = self._clock.now()
        full = max(self._full.get(caller, now), now) + self._interval
        wait = full - now - self._room
        if wait > 1e-9:
            raise PaceError("too_many_requests", "This is faster than the server takes requests.", math.ceil(wait))
        self._full[caller] = full
