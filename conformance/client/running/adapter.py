"""A client that is a library behind an adapter: one process for many runs, told of them by JSON lines.

We write a line a run: `{"run": 1, "url": ..., "token": ..., "workspace": ..., "message": ..., "conversation": null}`.
The adapter writes lines of that run, each with one of: `{"run": 1, "shown": TEXT}` for what its user would see,
`{"run": 1, "said": TEXT}` for what it says beside, and at last `{"run": 1, "ended": CODE}`, 0 where the user has the
answer. It has one run at a time; more processes of it are started where several runs go on at once. One that does not
come to an end is ended, and another is started in its place.
"""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sendpoll.conformance.client.running.process import Process, require
from sendpoll.conformance.client.running.program import End, Job, Ran, Watch
from sendpoll.schemas.contract import JSON

_AT_ONCE = 12


@dataclass(slots=True)
class _Run:
    """What has come of one run so far."""

    number: int
    shown: str = ""
    said: str = ""
    code: int | None = None
    trouble: str = ""
    """In what the adapter broke the protocol."""
    _rest: bytes = b""

    def take(self, output: bytes) -> None:
        """What the adapter wrote."""
        *lines, self._rest = (self._rest + output).split(b"\n")
        for line in lines:
            if line.strip() and self.code is None:
                self._line(line)

    def _line(self, line: bytes) -> None:
        try:
            told: JSON = json.loads(line)
            if told["run"] != self.number:
                return  # of a run that was given up
            self.shown += str(told.get("shown", ""))
            self.said += str(told.get("said", ""))
            self.code = int(told["ended"]) if "ended" in told else None
        except (ValueError, KeyError, TypeError):
            self.trouble = f"the adapter wrote {line[:120]!r}, which is no JSON line with a run"


class Adapter:
    """A command that speaks the protocol."""

    at_once = _AT_ONCE

    def __init__(self, words: Sequence[str]) -> None:
        """Raises ProgramError where there is no such program."""
        require(words)
        self._words = tuple(words)
        self.name = shlex.join(words)
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._idle: list[Process] = []
        self._runs = 0

    def close(self) -> None:
        """End every run that goes on, and every process that waits for one."""
        self._over.set()
        with self._lock:
            idle, self._idle = self._idle, []
        for process in idle:
            process.end()

    def run(self, job: Job) -> Ran:
        """Hand one run to a process of it. Raises ProgramError where none can be started."""
        with self._lock:
            self._runs += 1
            run = _Run(self._runs)
            process = self._idle.pop() if self._idle else None
        started = time.monotonic()
        process = process or Process(self._words, {}, reads=True)
        end = self._handed(process, job, run)
        seconds, left = time.monotonic() - started, 0
        if end is End.ITSELF and not run.trouble and process.exit_code is None:
            self._keep(process)
            words = run.said
        else:
            left = process.end()
            words = f"{run.said}{process.words.text}{run.trouble}"
        code = run.code if run.code is not None else 1
        return Ran(run.shown, words, code if end is End.ITSELF else None, end, seconds, left)

    def _keep(self, process: Process) -> None:
        with self._lock:
            if not self._over.is_set():
                self._idle.append(process)
                return
        process.end()

    def _handed(self, process: Process, job: Job, run: _Run) -> End:
        told = {"run": run.number, **asdict(job.told)}
        try:
            process.tell(json.dumps(told).encode() + b"\n")
        except OSError:
            run.trouble = "the adapter did not read its standard input"
            return End.ITSELF
        before = process.shown.size + process.words.size
        watch = Watch(job, lambda: process.shown.size + process.words.size - before, self._over)
        while True:
            ended = process.ends_within()
            run.take(process.shown.taken())
            if run.code is not None or run.trouble or ended:
                return End.ITSELF
            if (end := watch.verdict()) is not None:
                return end
