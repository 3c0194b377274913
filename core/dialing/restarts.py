"""Notices that a server was started anew, without asking it anything: each request would stand in its log."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from sendpoll.core.dialing.dial import Dialer, DialError
from sendpoll.core.target.target import Target

_CONNECT_SECONDS: Final = 1.0
_LISTEN: Final = "0A"
"""The state in the kernel's tables (include/net/tcp_states.h)."""


class Restarts:
    """Whether the target went away, or other processes serve it, since it was last looked at.

    A server that a reloader starts anew keeps its port: the process that opened the listening socket lives on, and the
    one that answers is another. So on this machine the processes are looked at; elsewhere, and where they may not be
    looked at, a port that takes no connection tells.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._dialer = Dialer(target)
        self._was_away = False
        self._listeners = self._processes()

    def restarted(self) -> bool:
        """Whether it is back, or another one, since this was last called."""
        if not self._takes_connections():
            self._was_away = True
            return False
        now, before = self._processes(), self._listeners
        self._listeners = now
        changed = self._was_away or bool(before and now and before != now)
        self._was_away = False
        return changed

    def _takes_connections(self) -> bool:
        try:
            self._dialer.dial(_CONNECT_SECONDS).close()
        except DialError as error:
            return error.kind == "tls"
        return True

    def _processes(self) -> frozenset[int]:
        return listeners_on(self._target.port) if self._target.is_local else frozenset()


def listeners_on(port: int) -> frozenset[int]:
    """The processes that hold a listening socket of this port, as far as Linux tells; none elsewhere.

    Read from /proc rather than through psutil, which reads the table of all connections once a process.
    """
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net", table), port)}
    if not inodes:
        return frozenset()
    sockets = {f"socket:[{inode}]" for inode in inodes}
    return frozenset(int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _holds(folder / "fd", sockets))


def _listening(table: Path, port: int) -> Iterator[str]:
    """The inodes of the sockets in a table of the kernel's that listen on a port."""
    try:
        lines = table.read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return
    for line in lines:
        _, local, _, state, *_ = fields = line.split()
        if state == _LISTEN and int(local.rpartition(":")[2], 16) == port:
            yield fields[9]


def _holds(folder: Path, sockets: Collection[str]) -> bool:
    try:
        return any(str(file.readlink()) in sockets for file in folder.iterdir())
    except OSError:
        return False  # it ended meanwhile, or is somebody else's
