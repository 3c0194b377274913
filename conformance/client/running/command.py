"""A client that is a command: a process group of its own, bounded outputs, and nothing of it left behind.

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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

import psutil

from sendpoll.conformance.client.running.program import KEPT_BYTES, End, Job, ProgramError, Ran, Watch

_MARK = "SENDPOLL_RUN"
_TICK = 0.02
_GRACE = 1.0
"""Seconds between asking a program to end and ending it."""
_PIECE = 65536
_AT_ONCE = 8


class Command:
    """A command line that is run once a situation."""

    at_once = _AT_ONCE

    def __init__(self, words: Sequence[str]) -> None:
        """Raises ProgramError where there is no such program."""
        self._words = tuple(words)
        if shutil.which(words[0]) is None:
            raise ProgramError(f"{words[0]} is no program that can be run here; give a command behind --, such as -- node client.mjs")

    @property
    def name(self) -> str:
        """The words, as they were given."""
        return " ".join(self._words)

    def close(self) -> None:
        """Nothing outlives a run."""

    def run(self, job: Job) -> Ran:
        """Run it once. Raises ProgramError where the system refuses to start it."""
        mark = _Mark(secrets.token_hex(16), time.time())
        started = time.monotonic()
        try:
            process = subprocess.Popen(
                self._words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**_environment(), **job.environment, _MARK: mark.value},
                start_new_session=True,
            )
        except OSError as error:
            raise ProgramError(f"{self._words[0]}: {error.strerror or error}") from error
        assert process.stdout is not None  # noqa: S101 - both are pipes
        assert process.stderr is not None  # noqa: S101
        with _Output(process.stdout) as shown, _Output(process.stderr) as words:
            end = _watched(process, Watch(job, lambda: shown.bytes + words.bytes))
            seconds = time.monotonic() - started
            left = _end_all(process, mark)
        code = process.returncode if end is End.ITSELF else None
        return Ran(shown.text, words.text, code, end, seconds, left)


def _watched(process: subprocess.Popen[bytes], watch: Watch) -> End:
    """Wait for the process to end; ask it to where it has to be stopped."""
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_TICK)
            return End.ITSELF
        if (end := watch.verdict()) is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
            return end


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


def _environment() -> dict[str, str]:
    """The user's own, in which no proxy stands between the program and the loopback."""
    near = ",".join(filter(None, (os.environ.get("NO_PROXY"), "127.0.0.1,::1,localhost")))
    return {**os.environ, "NO_PROXY": near, "no_proxy": near}


def _end_all(process: subprocess.Popen[bytes], mark: _Mark) -> int:
    """End whatever is left of a run; how many processes that were, the program itself apart."""
    marked = list(_marked(mark))
    left = sum(one.pid != process.pid for one in marked)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    for _ in range(100):  # what forks while it is ended is found at the next look
        for one in marked:
            with contextlib.suppress(psutil.Error):
                one.kill()
        process.wait()
        if not (marked := list(_marked(mark))):
            break
    return left


def _marked(mark: _Mark) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if mark.is_on(process):
                yield process


@dataclass(slots=True)
class _Output:
    """What comes out of a pipe: the first of it kept, all of it counted, so that nobody is held up by a full pipe."""

    pipe: IO[bytes]
    bytes: int = 0
    _kept: bytearray = field(default_factory=bytearray)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> _Output:
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        assert self._thread is not None  # noqa: S101 - it was entered
        self._thread.join()
        self.pipe.close()

    @property
    def text(self) -> str:
        """What was kept of it."""
        return self._kept.decode("utf-8", "backslashreplace")

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
            self.bytes += len(piece)
            self._kept += piece[: max(0, KEPT_BYTES - len(self._kept))]
