"""For how long the kernel has held this process's control groups back, since it ran out of its share of the CPU."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_COUNTERS: Final = {"throttled_usec": 1e6, "throttled_time": 1e9}
"""The counter's names in control groups 2 and 1, and its units in a second."""
_BYTES: Final = 4096


class Throttling:
    """The counters of every control group that this process is in: a quota may be set on any of them.

    The files stay open, so that they can be read when a process may open no more.
    """

    def __init__(self, root: Path = Path("/")) -> None:
        self._files: list[int] = []
        for folder in _groups(root):
            try:
                self._files.append(os.open(folder / "cpu.stat", os.O_RDONLY | os.O_CLOEXEC))
            except OSError:
                continue  # the group at the root has none, and neither has a machine without control groups

    def seconds(self) -> float:
        """The most that any of the groups was held back, since it began; 0 where there is none."""
        return max((_throttled(file) for file in self._files), default=0.0)

    def close(self) -> None:
        """Read no more."""
        while self._files:
            os.close(self._files.pop())


def _groups(root: Path) -> Iterator[Path]:
    """The folders of this process's control groups, each with all that it lies in."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    mount = root / "sys/fs/cgroup"
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = mount / controllers if controllers else mount
        folder = top / path.lstrip("/")
        yield from dict.fromkeys((folder, *(parent for parent in folder.parents if parent.is_relative_to(top))))
        if controllers:
            yield mount / "cpu"


def _throttled(file: int) -> float:
    try:
        lines = os.pread(file, _BYTES, 0).decode("ascii").splitlines()
    except OSError:
        return 0.0
    for line in lines:
        name, _, number = line.partition(" ")
        if name in _COUNTERS:
            return int(number) / _COUNTERS[name]
    return 0.0
