"""Writes every report of a load run into one folder."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from sendpoll.core.reports.files import Rendering, write_report
from sendpoll.load.report.result_html import html_report
from sendpoll.load.report.result_junit import junit
from sendpoll.load.report.result_markdown import markdown_summary
from sendpoll.load.report.tasks import TaskLog
from sendpoll.load.results.result_json import LoadResult


def write_load_reports(result: LoadResult, tasks: TaskLog, folder: Path) -> None:
    """Write `result.json`, `report.html`, `junit.xml`, `summary.md` and `tasks.jsonl`.

    Raises UnwrittenError, and InvalidFileError where the result breaks its schema, which is a fault of ours.
    """
    renderings: dict[str, Callable[[], Rendering]] = {
        "report.html": functools.partial(html_report, result),
        "junit.xml": functools.partial(junit, result),
        "summary.md": functools.partial(markdown_summary, result),
        "tasks.jsonl": tasks.lines,
    }
    write_report(folder, "result.json", "load-result.json", result, renderings)
