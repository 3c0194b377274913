"""How fast a target is asked: as fast as it answers, until it says that this is too fast, or the user does."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator

CLIENTS_PACE = 2.0
"""Requests a second of one published client: no server that they work with can ask for less."""
_BURST = 1.0
"""Seconds of requests that may come at once where there is a rate."""
_MARGIN = 0.8
"""What part of a rate that was just refused, or nearly, is kept from then on."""
_MORE = 1.3
"""By how much a learnt rate grows where nothing was refused for a while."""
_CALM = 4.0
"""Seconds without a refusal after which it grows; twice as many after each time that this was too much."""


_CLIENTS_SEND = {1.0: 4, 3.0: 8, 10.0: 24}
"""Seconds to the most requests that one published client sends in them: its calls, and then two polls a second.

At that pace the bucket of any limiter that says not how long to wait has drained in the longest of them.
"""
_LOOKED_BACK = max(_CLIENTS_SEND)


class Pace:
    """Gives every request its moment. Safe for several threads."""

    def __init__(self, most: float | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        """`most` is requests a second, None for any number; `clock` gives seconds."""
        self.most = most
        self._bound = most
        self._calm = _CALM
        self._clock = clock
        self._ready = self._since = self._grown_at = self._began = clock()
        self._sent = 0
        self._moments: deque[float] = deque(maxlen=_CLIENTS_SEND[_LOOKED_BACK] + 1)
        """When the last requests were sent, at the earliest."""
        self._lock = threading.Lock()

    def turn(self) -> float:
        """Take the next place in the line; the seconds until its moment."""
        with self._lock:
            self._sent += 1
            now = self._clock()
            if self.most is None:
                self._moments.append(now)
                return 0.0
            if self._sent and now - self._grown_at > self._calm and self.most != self._bound:
                self.most = min(_MORE * self.most, self._bound or _MORE * self.most)
                self._grown_at = now
            self._ready = max(self._ready, now - _BURST) + 1 / self.most
            self._moments.append(max(self._ready, now))
            return max(0.0, self._ready - now)

    def was_a_clients(self, moment: float) -> bool:
        """Whether no more was sent for some time before a moment than one published client sends."""
        if moment - self._began < _LOOKED_BACK:
            return False
        with self._lock:
            sent = list(self._moments)
        return all(sum(moment - span < one <= moment for one in sent) <= most for span, most in _CLIENTS_SEND.items())

    @property
    def is_bounded(self) -> bool:
        """Whether the server is known to take only so many requests a second, or is asked gently."""
        return self._bound is not None

    def keep_to(self, per_second: float) -> None:
        """Ask no faster than this from now on."""
        with self._lock:
            self._bound = per_second if self._bound is None else min(self._bound, per_second)
            self.most = self._bound if self.most is None else min(self.most, self._bound)

    def came_too_fast(self, sent_at: float) -> None:
        """A request sent then was too fast, and is taken by now: keep to what was taken in the time since the last one.

        What was sent before the last such answer says nothing new.
        """
        with self._lock:
            if sent_at < self._since:
                return
            now = self._clock()
            kept = _MARGIN * self._sent / max(now - self._since, 1e-3)
            lowest = CLIENTS_PACE if self.most is None else min(self.most, CLIENTS_PACE)
            self.most = max(lowest, kept if self.most is None else min(kept, self.most))
            self._grown_at, self._since, self._sent = now, now, 0
            self._calm *= 2


class Floor:
    """Lets requests go side by side, or one of them alone. Safe for several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._beside = 0
        self._alone = False

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Beside others, once nobody is alone."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._beside += 1
        try:
            yield
        finally:
            with self._changed:
                self._beside -= 1
                self._changed.notify_all()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """With nobody beside."""
        with self._changed:
            self._changed.wait_for(lambda: not self._alone)
            self._alone = True
            self._changed.wait_for(lambda: not self._beside)
        try:
            yield
        finally:
            with self._changed:
                self._alone = False
                self._changed.notify_all()
