"""Watches the generator's own process: how late its event loop wakes sleepers, its CPU, its throttling."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from typing import Final

import gevent

from sendpoll.core.text.units import short_seconds
from sendpoll.load.measure.health import Processor
from sendpoll.load.users.throttling import Throttling

_PROBE_S: Final = 0.05
_CLOCK_STEP_S: Final = 0.5
"""Between two looks, a second apart: far more than a clock is slewed by."""


class LagProbe:
    """Sleeps on a fixed grid and tells how late it woke, for the grid points that it missed too."""

    def __init__(self, record: Callable[[float], None]) -> None:
        self._record = record
        self._greenlet = gevent.spawn(self._watch)

    def stop(self) -> None:
        """Watch no more."""
        self._greenlet.kill()

    def _watch(self) -> None:
        due = time.perf_counter()
        while True:
            due += _PROBE_S
            gevent.sleep(max(0.0, due - time.perf_counter()))
            now = time.perf_counter()
            self._record(now - due)
            while due + _PROBE_S < now:
                due += _PROBE_S
                self._record(now - due)


class ProcessProbe:
    """The CPU time and the throttled time of this process since it was last asked."""

    def __init__(self, throttling: Throttling) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._throttling = throttling
        self._last = self._read()

    def take(self) -> Processor:
        """What was used since the last call."""
        before, self._last = self._last, self._read()
        used = [now - then for now, then in zip(self._last, before, strict=True)]
        return Processor(seconds=used[0], cpu_seconds=used[1], throttled_seconds=used[2])

    def _read(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), self._throttling.seconds()


class ClockProbe:
    """Notices that the wall clock was set. No duration here is taken from it, but logs and certificates are."""

    def __init__(self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.perf_counter) -> None:
        self._wall, self._steady = wall, steady
        self._offset = wall() - steady()

    def take(self) -> str | None:
        """A sentence on how far it was set since the last call; None where both clocks went alike."""
        before, self._offset = self._offset, self._wall() - self._steady()
        step = self._offset - before
        if abs(step) < _CLOCK_STEP_S:
            return None
        return f"the wall clock of this machine was set {short_seconds(abs(step))} {'ahead' if step > 0 else 'back'}"
