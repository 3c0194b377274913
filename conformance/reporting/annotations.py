"""Failed requirements as the workflow commands of GitHub Actions, which shows them on the run and the pull request."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import Report
from sendpoll.core.reports.ci_log import annotation


def workflow_commands(report: Report) -> Iterator[str]:
    """A line a failed requirement: an error where it fails the run, a warning where it does not."""
    for row in view.rows_with(report, "fail"):
        observed = row["violations"][0]["sentence"] if row["violations"] else ""
        told = f"{row['title']} Observed: {observed}"
        yield annotation("error" if view.fails_run(report, row) else "warning", row["id"], told)
