"""Open arrivals: messages come at random times of their own, whether or not a user is free for them.

Each generator draws its part of a Poisson process; the parts together are one of the whole rate. An arrival is handed
to a user that waits for one, or it is dropped: a server that is slow cannot slow the arrivals down.
"""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from typing import cast

import gevent
from gevent.event import AsyncResult


class Arrivals:
    """The arrivals of one generator."""

    def __init__(self, random_source: random.Random, on_dropped: Callable[[float], None]) -> None:
        self._random = random_source
        self._on_dropped = on_dropped
        self._waiting: deque[AsyncResult[float]] = deque()
        self._rate = 0.0
        self._changed = gevent.event.Event()
        self._greenlet = gevent.spawn(self._arrive)

    def set_rate(self, rate: float) -> None:
        """Arrivals a second from now on. The process has no memory, so the next gap is drawn anew."""
        if rate != self._rate:
            self._rate = rate
            self._changed.set()

    def stop(self) -> None:
        """Let nothing arrive any more."""
        self._greenlet.kill()

    def take(self) -> float:
        """Wait for an arrival; when it was to be sent, by `time.perf_counter`."""
        ticket: AsyncResult[float] = AsyncResult()
        self._waiting.append(ticket)
        try:
            return cast(float, ticket.get())
        except BaseException:
            self._give_back(ticket)
            raise

    def _give_back(self, ticket: AsyncResult[float]) -> None:
        """The user was stopped while it waited: an arrival that it was handed has found nobody."""
        if ticket.ready():
            self._on_dropped(cast(float, ticket.get()))
        else:
            self._waiting.remove(ticket)

    def _arrive(self) -> None:
        due = time.perf_counter()
        while True:
            if self._changed.is_set():
                self._changed.clear()
                due = time.perf_counter()
            if not self._rate:
                self._changed.wait()
                continue
            due += self._random.expovariate(self._rate)
            if not self._wait_until(due):
                continue
            if self._waiting:
                self._waiting.popleft().set(due)
            else:
                self._on_dropped(due)

    def _wait_until(self, due: float) -> bool:
        """Sleep until then; False if the rate changed meanwhile."""
        delay = due - time.perf_counter()
        if delay <= 0:
            return not self._changed.is_set()
        return not self._changed.wait(delay)
