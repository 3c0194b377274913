"""Watches the sources for the length of a run, and puts what was read on the run's clock."""

from __future__ import annotations

import json
import math
import select
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from sendpoll.load.observe.exposition import Series
from sendpoll.load.observe.sources import ObserveError, Sources

_ANSWER_S: Final = 30.0
"""For the first reading, and for the last: the watching process is on a machine that is kept busy."""


@dataclass(frozen=True, slots=True)
class Reading:
    """All that was read of one source."""

    source: str
    times: Sequence[float]
    """Seconds since the start of the run; what was read before it is negative."""
    columns: Mapping[Series, Sequence[float]]
    """NaN where there was nothing."""
    failures: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Recording:
    """What was read, and how much load there was meanwhile."""

    readings: Sequence[Reading] = ()
    levels: Sequence[tuple[float, float]] = ()
    """From when on (seconds since the start) which level was held: users, or messages a second."""
    problems: Sequence[str] = ()
    """Why something could not be read, a sentence each."""


@dataclass(slots=True)
class Observer:
    """A context manager around a run. Without sources it does nothing."""

    sources: Sources
    _process: subprocess.Popen[bytes] | None = None
    _began_at: float | None = None
    _levels: list[tuple[float, float]] = field(default_factory=list)

    def __enter__(self) -> Observer:
        """Begin to watch. Raises ObserveError where a source is not what it should be."""
        if self.sources:
            self._process = process = subprocess.Popen(
                [sys.executable, "-m", "sendpoll.load.observe.sampler"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the run, which asks for what was read at its end
            )
            assert process.stdin is not None  # noqa: S101 - it was asked for
            process.stdin.write((json.dumps({"urls": self.sources.urls, "pids": self.sources.pids}) + "\n").encode())
            process.stdin.flush()
            told = self._answer()
            if told is None or told["refused"]:
                self._end()
                raise ObserveError(told["refused"] if told else "what was to be watched did not answer in time")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Watch no more."""
        self._end()

    def note(self, elapsed: float, level: float) -> None:
        """The run is so many seconds old, and holds this level."""
        if self._began_at is None:
            self._began_at = time.monotonic() - elapsed
        if not self._levels or self._levels[-1][1] != level:
            self._levels.append((elapsed, level))

    def finish(self) -> Recording | None:
        """What was read until now; None without sources, and where no run took place. Watches no more."""
        process, began = self._process, self._began_at
        if process is None or process.stdin is None or began is None:
            return None
        process.stdin.close()
        told = self._answer()
        if told is None:
            return Recording(problems=("what was watched could not be read in the end",))
        readings = [_reading(one, began) for one in told]
        problems = [
            f"{one.source}: {reason}, {times:,} times" if times > 1 else f"{one.source}: {reason}"
            for one in readings
            for reason, times in one.failures.items()
        ]
        return Recording(readings, tuple(self._levels), problems)

    def _answer(self) -> Any:
        """What the process says next, a line of JSON; None where it says nothing."""
        assert self._process is not None  # noqa: S101 - both callers have one
        stdout = self._process.stdout
        assert stdout is not None  # noqa: S101 - it was asked for
        if not select.select([stdout], [], [], _ANSWER_S)[0]:
            return None
        line = stdout.readline()
        return json.loads(line) if line.endswith(b"\n") else None

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.kill()
        process.wait()


def _reading(told: Any, began: float) -> Reading:
    columns = {
        Series(metric, tuple((name, value) for name, value in labels), kind): [
            math.nan if value is None else float(value) for value in values
        ]
        for metric, labels, kind, values in told["columns"]
    }
    return Reading(told["name"], [at - began for at in told["times"]], columns, told["failures"])
