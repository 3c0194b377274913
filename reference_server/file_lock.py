"""One server a database file: a lock on the file itself, so that no other name of it lets a second server in.

A symbolic link, a hard link and a bind of another path all lead to the same file, and so to the same lock. The system
drops it with the process, however that ends.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_BYTE = 0x4000_0000 + 4096
"""The byte that is locked: behind the 512 from 0x40000000 on, which are SQLite's."""
_IS_TAKEN = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}
"""What a lock that somebody else holds is answered with, on one system or another."""

_open: set[tuple[int, int]] = set()
"""Device and inode of the files that this process serves. It must not open one of them again: closing any descriptor
of a file takes from the whole process what SQLite has locked there (fcntl(2))."""
_changing = threading.Lock()


class InUseError(OSError):
    """Another server has the file."""


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file once in this process; yield its descriptor. A new file is made, for its owner alone.

    SQLite's connections to it must be closed before it is. Raises InUseError, or another OSError if it cannot be opened
    or is no ordinary file.
    """
    with _changing:
        if path.exists() and _identity(path.stat()) in _open:
            raise InUseError("this process uses it already")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            os.close(descriptor)
            raise OSError("it is not an ordinary file")
        _open.add(_identity(found))
    try:
        yield descriptor
    finally:
        with _changing:
            _open.discard(_identity(found))
            os.close(descriptor)


def lock(descriptor: int) -> None:
    """Keep every other process that asks for this lock away from the file, until the descriptor is closed.

    Raises InUseError.
    """
    try:
        _lock_byte(descriptor)
    except OSError as problem:
        if problem.errno in _IS_TAKEN:
            raise InUseError("another process uses it") from problem
        raise


def renew(descriptor: int) -> None:
    """Lock it once more, when SQLite holds the file in WAL mode and goes on to.

    Where the system's only locks are those of a process, SQLite drops this one with the last lock of its own.
    """
    if sys.platform not in ("linux", "win32"):
        lock(descriptor)


def make_private(path: Path) -> None:
    """Take a file away from everybody but its owner, if it is there and ours."""
    with contextlib.suppress(FileNotFoundError, PermissionError):
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            path.chmod(mode & 0o700)


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


if sys.platform == "linux":
    import fcntl

    def _lock_byte(descriptor: int) -> None:
        # struct flock: type, whence, start, length, pid.
        request = struct.pack("@hhqqi0q", fcntl.F_WRLCK, os.SEEK_SET, _BYTE, 1, 0)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, request)
elif sys.platform == "win32":
    import msvcrt

    def _lock_byte(descriptor: int) -> None:
        os.lseek(descriptor, _BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock_byte(descriptor: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, _BYTE)
