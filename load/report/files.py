"""Writes every report of a load run into one folder."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sendpoll.core.reports.files import Content, write_report
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.measure.records import TaskRecord
from sendpoll.load.report.html import html_report
from sendpoll.load.report.junit import junit
from sendpoll.load.report.markdown import markdown_summary
from sendpoll.load.report.tasks import task_lines
from sendpoll.load.results.result_json import LoadResult


def write_load_reports(
    result: LoadResult, records: Iterable[TaskRecord], folder: Path, secrets: Mapping[str, str]
) -> None:
    """Write `result.json`, `report.html`, `junit.xml`, `summary.md` and `tasks.jsonl`.

    Raises UnwrittenError, and InvalidFileError where the result breaks its schema, which is a fault of ours.
    """
    renderings: dict[str, Callable[[], Content]] = {
        "report.html": functools.partial(html_report, result),
        "junit.xml": functools.partial(junit, result),
        "summary.md": functools.partial(markdown_summary, result),
        "tasks.jsonl": functools.partial(task_lines, records, Redactor(secrets)),
    }
    write_report(folder, "result.json", "load-result.json", result, renderings)
