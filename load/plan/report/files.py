"""Writes every report of a plan into one folder."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from sendpoll.core.reports.files import Rendering, write_report
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.measure.records import TaskRecord
from sendpoll.load.plan.plan_json import Plan
from sendpoll.load.plan.report.html import plan_html
from sendpoll.load.plan.report.junit import plan_junit
from sendpoll.load.plan.report.markdown import plan_markdown
from sendpoll.load.report.tasks import task_lines


def write_plan_reports(result: Plan, records: Iterable[TaskRecord], folder: Path, secrets: Mapping[str, str]) -> None:
    """Write `plan.json`, `plan.html`, `junit.xml`, `summary.md` and `tasks.jsonl`.

    Raises UnwrittenError, and InvalidFileError where the plan breaks its schema, which is a fault of ours.
    """
    renderings: dict[str, Callable[[], Rendering]] = {
        "plan.html": functools.partial(plan_html, result),
        "junit.xml": functools.partial(plan_junit, result),
        "summary.md": functools.partial(plan_markdown, result),
        "tasks.jsonl": functools.partial(task_lines, records, Redactor(secrets)),
    }
    write_report(folder, "plan.json", "plan.json", result, renderings)
