"""A client that is a command, run once a situation."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Sequence

from sendpoll.conformance.client.running.process import Process, require
from sendpoll.conformance.client.running.program import End, Job, Ran, Watch, variables

_AT_ONCE = 12
"""Most of a run is waiting between polls, so two cores carry several runs at once."""


class Command:
    """A command line."""

    at_once = _AT_ONCE

    def __init__(self, words: Sequence[str]) -> None:
        """Raises ProgramError where there is no such program."""
        require(words)
        self._words = tuple(words)
        self._over = threading.Event()
        self.name = shlex.join(words)

    def close(self) -> None:
        """End every run that goes on."""
        self._over.set()

    def run(self, job: Job) -> Ran:
        """Run it once. Raises ProgramError where the system refuses to start it."""
        started = time.monotonic()
        process = Process(self._words, variables(job.told))
        try:
            watch = Watch(job, lambda: process.shown.size + process.words.size, self._over)
            end = _watched(process, watch)
            seconds, code = time.monotonic() - started, process.exit_code
        finally:
            left = process.end()
        return Ran(process.shown.text, process.words.text, code if end is End.ITSELF else None, end, seconds, left)


def _watched(process: Process, watch: Watch) -> End:
    """Wait for the process to end; ask it to where it has to be stopped."""
    while not process.ends_within():
        if (end := watch.verdict()) is not None:
            process.ask_to_end()
            return end
    return End.ITSELF
