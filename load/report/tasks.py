"""The log of a run's tasks: one JSON object a line, in the order in which they ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sendpoll.core.reports.files import lines_of
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.measure.records import TaskRecord


def task_lines(records: Iterable[TaskRecord], redactor: Redactor) -> Iterator[str]:
    """The lines of `tasks.jsonl`."""
    return lines_of(redactor.data(record.as_json()) for record in records)
