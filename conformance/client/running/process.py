"""A process of somebody else's: its outputs bounded, and nothing of it left behind.

A program that is judged may hang, write without end, start others, ignore SIGTERM and detach what it started. It is
asked to end first and ended then, with its group, and with every process that carries the mark of the run in its
environment, which a process inherits even where it leaves group and session.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

import psutil

from sendpoll.conformance.client.running.program import KEPT_BYTES, ProgramError

_MARK = "SENDPOLL_RUN"
_TICK = 0.02
_GRACE = 1.0
"""Seconds between asking a program to end and ending it."""
_PIECE = 65536


def require(words: Sequence[str]) -> None:
    """Raise ProgramError where there is no such program."""
    if shutil.which(words[0]) is None:
        told = "give a command behind --, such as -- node client.mjs"
        raise ProgramError(f"{words[0]} is no program that can be run here; {told}")


@dataclass(frozen=True, slots=True)
class _Mark:
    """What every process of a run carries in its environment, and no process from before it."""

    value: str
    since: float
    """Seconds of the system's clock."""

    def is_on(self, process: psutil.Process) -> bool:
        """Whether the process runs and belongs to the run."""
        if process.create_time() < self.since - 1 or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(process.environ().get(_MARK) == self.value)

    def all(self) -> list[psutil.Process]:
        """Every process of the run."""
        return list(self._found())

    def _found(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if self.is_on(process):
                    yield process


class Process:
    """A program that runs. `end()` must be called, whatever it came to."""

    def __init__(self, words: Sequence[str], variables: Mapping[str, str], *, reads: bool = False) -> None:
        """Start it; `reads` is whether it is told anything on standard input. Raises ProgramError."""
        self._mark = _Mark(secrets.token_hex(16), time.time())
        try:
            self._process = subprocess.Popen(  # noqa: S603 - to run what the user names is the purpose
                words,
                stdin=subprocess.PIPE if reads else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**_environment(), **variables, _MARK: self._mark.value},
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"{words[0]}: {error.strerror or error}") from error
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        assert self._process.stderr is not None  # noqa: S101 - it is a pipe
        self.shown = Output(self._process.stdout)
        self.words = Output(self._process.stderr)

    @property
    def exit_code(self) -> int | None:
        """None while it runs."""
        return self._process.poll()

    def ends_within(self, seconds: float = _TICK) -> bool:
        """Wait for its end, for so long at most; whether it came."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def tell(self, line: bytes) -> None:
        """Write to its standard input. Raises OSError where it does not read any more."""
        assert self._process.stdin is not None  # noqa: S101 - it was started so
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def ask_to_end(self) -> None:
        """SIGTERM, and a moment to obey it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        self.ends_within(_GRACE)

    def end(self) -> int:
        """End whatever is left of it; how many processes beside itself that were."""
        marked = self._mark.all()
        left = sum(one.pid != self._process.pid for one in marked)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for _ in range(100):  # what forks while it is ended is found at the next look
            for one in marked:
                with contextlib.suppress(psutil.Error):
                    one.kill()
            self._process.wait()
            if not (marked := self._mark.all()):
                break
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
        self.shown.close()
        self.words.close()
        return left


def _environment() -> dict[str, str]:
    """The user's own, in which no proxy stands between the program and the loopback."""
    near = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,::1,localhost")))
    return {**os.environ, "NO_PROXY": near, "no_proxy": near}


@dataclass(slots=True)
class Output:
    """What comes out of a pipe: the first of it kept, all of it counted, so that nobody is held up by a full pipe."""

    pipe: IO[bytes]
    size: int = 0
    """Bytes so far."""
    _kept: bytearray = field(default_factory=bytearray)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take what is there, and read no more."""
        self._over.set()
        self._thread.join()
        self.pipe.close()

    @property
    def text(self) -> str:
        """What was kept of it."""
        return self._kept.decode("utf-8", "backslashreplace")

    def taken(self) -> bytes:
        """What has come since this was last asked; it is not kept then."""
        taken = bytes(self._kept)
        del self._kept[: len(taken)]
        return taken

    def _read(self) -> None:
        """Until its end, or until the run is over and nothing more is there: somebody may hold the pipe open."""
        descriptor = self.pipe.fileno()
        while True:
            over = self._over.is_set()
            if not select.select([descriptor], [], [], 0 if over else _TICK)[0]:
                if over:
                    return
                continue
            if not (piece := os.read(descriptor, _PIECE)):
                return
            self.size += len(piece)
            self._kept += piece[: max(0, KEPT_BYTES - len(self._kept))]
