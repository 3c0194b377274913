"""The report of a check as one HTML page."""

from __future__ import annotations

import functools
from typing import Final

from sendpoll.conformance.reporting import timeline
from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import Report
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.core.reports.page import Page
from sendpoll.schemas.catalogue import CLIENTS

_SHOWN_ROWS = 150
"""Polls of one task that the table under its chart lists."""
_PAGE: Final = Page("sendpoll.conformance.reporting", "report.html.j2", styles=("report.css",), scripts=("report.js",))


def html_report(report: Report) -> str:
    """The whole page."""
    ranked = view.ranked(report)
    return _PAGE.render(
        {
            "report": report,
            "target": view.target(report),
            "run_facts": view.run_facts(report),
            "rows": ranked,
            "failed": [row for row in ranked if row["verdict"] == Verdict.FAIL],
            "counts": view.counts(report),
            "broken": view.broken_clients(report),
            "timelines": [timeline.timeline(task) for task in report.get("tasks", ())],
            "chart": timeline,
            "clients": CLIENTS,
            "tried": view.tried(),
            "labels": view.LABELS,
            "kinds": view.kinds,
            "is_known": functools.partial(view.is_known, report),
            "known_reason": functools.partial(view.known_reason, report),
            "shown_rows": _SHOWN_ROWS,
        }
    )
