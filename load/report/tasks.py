"""The log of a run's tasks: one JSON object a line, in the order in which they ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from sendpoll.core.text.redaction import Redactor
from sendpoll.load.measure.records import TaskRecord


def write_tasks(records: Iterable[TaskRecord], path: Path, redactor: Redactor) -> None:
    """Write `tasks.jsonl`; raises OSError."""
    with path.open("w", encoding="utf-8") as log:
        for record in records:
            log.write(f"{json.dumps(redactor.data(record.as_json()), ensure_ascii=True)}\n")
