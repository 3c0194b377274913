"""Writes every report of a plan into one folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sendpoll.core.text.redaction import Redactor
from sendpoll.load.measure.records import TaskRecord
from sendpoll.load.plan.report.html import plan_html
from sendpoll.load.plan.report.junit import plan_junit
from sendpoll.load.plan.report.markdown import plan_markdown
from sendpoll.load.report.tasks import write_tasks
from sendpoll.load.results.result import write_result


def write_plan_reports(
    result: Mapping[str, Any], records: Iterable[TaskRecord], folder: Path, secrets: Sequence[str]
) -> None:
    """Write `plan.json`, `plan.html`, `junit.xml`, `summary.md` and `tasks.jsonl`. Raises OSError."""
    write_result(result, folder / "plan.json")
    (folder / "plan.html").write_text(plan_html(result), encoding="utf-8")
    (folder / "junit.xml").write_text(plan_junit(result), encoding="utf-8")
    (folder / "summary.md").write_text(plan_markdown(result), encoding="utf-8")
    write_tasks(records, folder / "tasks.jsonl", Redactor(secrets))
