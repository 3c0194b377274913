"""The log of a run's tasks: one JSON object a line, in the order in which they ended."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from sendpoll.core.reports.files import lines_of
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.measure.records import Outcome, TaskRecord

_OUTCOMES = frozenset(outcome.name.lower() for outcome in Outcome)


def task_lines(records: Iterable[TaskRecord], redactor: Redactor) -> Iterator[str]:
    """The lines of `tasks.jsonl`."""
    return lines_of(redactor.data(record.as_json(), _OUTCOMES) for record in records)


class TaskLog:
    """Keeps the lines on disk as tasks end, so that a run of days takes no more memory than one of minutes.

    They lie in a file without a name until the run is over: a report folder holds a whole `tasks.jsonl` or none. A
    context manager.
    """

    def __init__(self, folder: Path | None, secrets: Mapping[str, str]) -> None:
        """`folder` is that of the reports; None: nobody will read the log, and nothing is kept."""
        self._redactor = Redactor(secrets)
        self._problem: OSError | None = None
        self._file: IO[str] | None = None
        if folder is not None:
            self._file = tempfile.TemporaryFile(  # noqa: SIM115 - closed with the log
                "w+", encoding="utf-8", errors="backslashreplace", dir=folder
            )

    def add(self, records: Iterable[TaskRecord]) -> None:
        """Take tasks in that have ended. What goes wrong with the disk ends no run: `lines` raises it."""
        if self._file is None or self._problem is not None:
            return
        try:
            self._file.writelines(task_lines(records, self._redactor))
        except OSError as problem:
            self._problem = problem

    def lines(self) -> Iterator[str]:
        """All lines so far. Raises OSError where one of them could not be kept."""
        if self._problem is not None:
            raise self._problem
        if self._file is not None:
            self._file.seek(0)
            yield from self._file

    def __enter__(self) -> TaskLog:
        """The log, to be closed at the end."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the file up."""
        self.close()

    def close(self) -> None:
        """Give the file up."""
        if self._file is not None:
            with contextlib.suppress(OSError):  # it has no name, and whoever wanted its lines has been told
                self._file.close()
