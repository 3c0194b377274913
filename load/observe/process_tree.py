"""What a process and its descendants use: CPU, memory, open files, sockets, as the kernel counts them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import psutil

from sendpoll.load.observe.exposition import Series
from sendpoll.load.observe.sources import ObserveError

CPU: Final = Series("process_cpu_seconds_total", (), "counter")
CPU_WAIT: Final = Series("process_cpu_wait_seconds_total", (), "counter")
"""How long its threads could run and had no core: on a busy machine a server is short of CPU and uses little of it."""
CORES: Final = Series("process_cores", (), "gauge")
THREAD: Final = Series("process_busiest_thread_share", (), "gauge")
"""The share of the time in which the busiest thread ran or waited for a core: at 1, a second core would not help."""
MEMORY: Final = Series("process_resident_memory_bytes", (), "gauge")
MEMORY_LIMIT: Final = Series("process_memory_limit_bytes", (), "gauge")
FILES: Final = Series("process_open_fds", (), "gauge")
FILES_LIMIT: Final = Series("process_max_fds", (), "gauge")
SOCKETS: Final = Series("process_open_sockets", (), "gauge")
PROCESSES: Final = Series("process_count", (), "gauge")

_UNREADABLE: Final = (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied)
_CGROUPS: Final = Path("/sys/fs/cgroup")


class ProcessTree:
    """A process and all that it started, read again and again."""

    def __init__(self, pid: int) -> None:
        """Raises ObserveError where there is no such process, or where it may not be read."""
        try:
            self._root = psutil.Process(pid)
            self._root.num_fds()
        except psutil.AccessDenied as error:
            raise ObserveError(f"process {pid} belongs to somebody else; run as the same user") from error
        except psutil.Error as error:
            raise ObserveError(f"there is no process {pid} on this machine") from error
        self.name = f"{self._root.name()} (process {pid})"
        self._cores = float(_cores(self._root))
        self._memory = float(_memory_limit(pid))
        self._threads: dict[int, float] = {}
        self._read_at: float | None = None
        self._ended = 0.0
        self._used: dict[int, float] = {}

    def read(self, now: float) -> Mapping[Series, float]:
        """The numbers at `now`, in seconds of a steady clock. Raises ObserveError once the process has ended."""
        processes = self._living()
        if not processes:
            raise ObserveError("the process has ended")
        used, threads = dict[int, float](), dict[int, float]()
        numbers = dict.fromkeys((MEMORY, SOCKETS, PROCESSES), 0.0)
        waited, fullest = 0.0, (0.0, 0.0, 1.0)
        for process in processes:
            with contextlib.suppress(*_UNREADABLE):  # it ended while it was read
                spent = process.cpu_times()
                used[process.pid] = spent.user + spent.system
                numbers[MEMORY] += process.memory_info().rss
                numbers[SOCKETS] += len(process.net_connections(kind="all"))
                numbers[PROCESSES] += 1
                limit = _files_limit(process)
                files = float(process.num_fds())
                fullest = max(fullest, (files / limit, files, limit))
                for thread, ran, delayed in _threads(process):
                    threads[thread] = ran + delayed
                    waited += delayed
        self._ended += sum(spent for pid, spent in self._used.items() if pid not in used)
        self._used = used
        numbers |= {CPU: sum(used.values()) + self._ended, CPU_WAIT: waited, CORES: self._cores}
        numbers |= {MEMORY_LIMIT: self._memory, FILES: fullest[1], FILES_LIMIT: fullest[2]}
        numbers |= self._busiest(threads, now)
        return numbers

    def _living(self) -> list[psutil.Process]:
        try:
            if self._root.status() == psutil.STATUS_ZOMBIE:
                return []
            return [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return []

    def _busiest(self, threads: dict[int, float], now: float) -> dict[Series, float]:
        before, self._threads = self._threads, threads
        since, self._read_at = self._read_at, now
        if since is None or now <= since:
            return {}
        shares = [(threads[one] - before[one]) / (now - since) for one in threads.keys() & before.keys()]
        return {THREAD: min(1.0, max(shares))} if shares else {}


def _threads(process: psutil.Process) -> Iterator[tuple[int, float, float]]:
    """Each thread's number, how long it ran, and how long it waited for a core; in seconds."""
    if sys.platform != "linux":
        yield from ((one.id, one.user_time + one.system_time, 0.0) for one in process.threads())
        return
    for entry in Path(f"/proc/{process.pid}/task").iterdir():
        with contextlib.suppress(OSError, ValueError):  # the thread has ended
            ran, delayed, _ = (entry / "schedstat").read_text().split()
            yield int(entry.name), int(ran) / 1e9, int(delayed) / 1e9


def _files_limit(process: psutil.Process) -> float:
    if sys.platform != "linux":
        return float("inf")
    soft = process.rlimit(psutil.RLIMIT_NOFILE)[0]
    return float("inf") if soft == psutil.RLIM_INFINITY else float(soft)


def _cores(process: psutil.Process) -> float:
    """How many cores it may use at once: by its affinity, and by the quota of its group."""
    allowed = len(process.cpu_affinity()) if sys.platform == "linux" else psutil.cpu_count() or 1
    with contextlib.suppress(OSError, ValueError):
        quota, period = (_group(process.pid) / "cpu.max").read_text().split()
        if quota != "max":
            return min(float(allowed), int(quota) / int(period))
    return float(allowed)


def _memory_limit(pid: int) -> float:
    """How much memory it may have, in bytes: by its group, at most what the machine has."""
    total = float(psutil.virtual_memory().total)
    with contextlib.suppress(OSError, ValueError):
        return min(total, float((_group(pid) / "memory.max").read_text()))
    return total


def _group(pid: int) -> Path:
    """The control group of a process. Raises OSError or ValueError where there is none of the second version."""
    lines = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8").splitlines()
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), None)
    if own is None:
        raise ValueError("no unified hierarchy")
    return _CGROUPS / own
