"""Watches the generator's own process: how late its event loop wakes sleepers, its CPU, its throttling."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import gevent

from sendpoll.load.measure.health import Processor

_PROBE_S: Final = 0.05
_CPU_STAT: Final = (Path("/sys/fs/cgroup/cpu.stat"), Path("/sys/fs/cgroup/cpu/cpu.stat"))
_THROTTLED: Final = {"throttled_usec": 1e6, "throttled_time": 1e9}
"""The counter's names in cgroups 2 and 1, and its units in a second."""


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

    def __init__(self) -> None:
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self._last = self._read()

    def take(self) -> Processor:
        """What was used since the last call."""
        before, self._last = self._last, self._read()
        used = [now - then for now, then in zip(self._last, before, strict=True)]
        return Processor(seconds=used[0], cpu_seconds=used[1], throttled_seconds=used[2])

    @staticmethod
    def _read() -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), _throttled_seconds()


def _throttled_seconds() -> float:
    """Seconds for which the kernel has throttled this process's control group; 0 where there is none."""
    for path in _CPU_STAT:
        try:
            lines = path.read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, number = line.partition(" ")
            if name in _THROTTLED:
                return int(number) / _THROTTLED[name]
    return 0.0
