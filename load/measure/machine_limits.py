"""What this machine refuses its own generator: open files, local ports, memory, the look-up of names.

A call that fails for one of these says nothing of the server. The kernel tells by the error number; what is the limit's
size here and what mends it is said in a sentence, on the machine that met it.
"""

from __future__ import annotations

import contextlib
import errno
import resource
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

SPARE_FILES: Final = 64
"""Of a process's open files, what is left for itself: logs, reports, the event loop, libraries."""


class Limit(StrEnum):
    """What ran out."""

    OPEN_FILES = "open files"
    ALL_OPEN_FILES = "open files of the machine"
    LOCAL_PORTS = "local ports"
    MEMORY = "memory"
    NAME_LOOK_UP = "name look-up"


_BY_ERRNO: Final = {
    errno.EMFILE: Limit.OPEN_FILES,
    errno.ENFILE: Limit.ALL_OPEN_FILES,
    errno.ENOMEM: Limit.MEMORY,
    errno.ENOBUFS: Limit.MEMORY,
}
_BY_LOOK_UP: Final = {socket.EAI_AGAIN: Limit.NAME_LOOK_UP, socket.EAI_MEMORY: Limit.MEMORY}


def limit_of(error: OSError, *, has_connected: bool) -> Limit | None:
    """The limit of this machine that an error tells of; None where it tells of the network or of the server.

    A name that cannot be looked up and an address that cannot be had are the target's description, unless connections
    to it were there before (`has_connected`).
    """
    if isinstance(error, socket.gaierror):
        limit = _BY_LOOK_UP.get(error.errno or 0)
        return limit if has_connected or limit is Limit.MEMORY else None
    if error.errno == errno.EADDRNOTAVAIL:
        return Limit.LOCAL_PORTS if has_connected else None
    return _BY_ERRNO.get(error.errno or 0)


@dataclass(frozen=True, slots=True)
class MachineLimits:
    """The sizes of what may run out, as this process finds them; None where there is no such limit, or none is told."""

    open_files: int | None
    """Of this process; one is taken by each connection."""
    local_ports: int | None
    """To one address and port of a server."""
    cpus: float | None
    """Cores that the control group may use."""

    @property
    def first_spare_file(self) -> int | None:
        """The least file number that no connection may take: the kernel gives the lowest that is free.

        A process that cannot open a file any more cannot write its reports either.
        """
        return None if self.open_files is None else self.open_files - min(SPARE_FILES, self.open_files // 4)

    @property
    def connections(self) -> int | None:
        """How many connections one process can have open to a server; None where nothing bounds them."""
        bounds = (self.first_spare_file, self.local_ports)
        return min((bound for bound in bounds if bound is not None), default=None)

    @property
    def lines(self) -> tuple[str, ...]:
        """What there is, for people, a line each."""
        told = [f"open files: {_counted(self.open_files)} a process"]
        if self.local_ports is not None:
            told.append(f"local ports: {self.local_ports:,} to one address of a server")
        told.append(f"CPU quota: {'none' if self.cpus is None else f'{self.cpus:g} cores'}")
        return tuple(told)

    def sentence(self, limit: Limit) -> str:
        """The limit's size and what to do about it."""
        return _SENTENCES[limit].format(files=_counted(self.open_files), ports=_counted(self.local_ports))


_SENTENCES: Final = {
    Limit.OPEN_FILES: (
        "this process may have no more than {files} open (ulimit -Hn), and each connection is one; raise the hard "
        "limit, use more --processes, or fewer users"
    ),
    Limit.ALL_OPEN_FILES: "the machine may have no more files open; raise sysctl fs.file-max, or use fewer users",
    Limit.LOCAL_PORTS: (
        "there are {ports} ports for connections to one address (sysctl net.ipv4.ip_local_port_range); widen the "
        "range, or use more machines"
    ),
    Limit.MEMORY: "the kernel has no memory for another connection; give the machine more, or use fewer users",
    Limit.NAME_LOOK_UP: "the resolver of this machine did not answer; mend it, or name the target by its address",
}


def _counted(number: int | None) -> str:
    return "unlimited" if number is None else f"{number:,}"


def machine_limits(root: Path = Path("/")) -> MachineLimits:
    """The limits of this process. `root` is where `proc` and `sys` are."""
    open_files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    groups = root / "sys/fs/cgroup"
    shares = [_numbers(groups / "cpu" / f"cpu.cfs_{name}_us", 1) or [0] for name in ("quota", "period")]
    quota, period = _numbers(groups / "cpu.max", 2) or (shares[0][0], shares[1][0])
    ports = _numbers(root / "proc/sys/net/ipv4/ip_local_port_range", 2)
    return MachineLimits(
        open_files=None if open_files == resource.RLIM_INFINITY else open_files,
        local_ports=ports[1] - ports[0] + 1 if ports else None,
        cpus=quota / period if quota > 0 and period > 0 else None,
    )


def _numbers(path: Path, count: int) -> list[int] | None:
    """The numbers of a file of the kernel; None where there are other ones, or `max`, which is no limit."""
    try:
        words = path.read_text(encoding="ascii").split()
        return [int(word) for word in words] if len(words) == count else None
    except (OSError, ValueError):
        return None


def raise_open_files() -> None:
    """Raise this process's soft limit of open files as far as it may by itself; its children inherit it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard
    if hard == resource.RLIM_INFINITY:  # the kernel has a limit of its own all the same
        most = (_numbers(Path("/proc/sys/fs/nr_open"), 1) or [soft])[0]
    if soft == resource.RLIM_INFINITY or soft >= most:
        return
    with contextlib.suppress(OSError, ValueError):  # as it is, then: the limit is told where it is met
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
