"""Annotations for GitHub Actions: one line a failed row, which no text of a server can break out of."""

from __future__ import annotations

import copy

from sendpoll.conformance.reporting.annotations import workflow_commands
from sendpoll.conformance.results import view
from tests.conformance.reporting.sample import sample_report


def test_a_line_a_failed_row() -> None:
    report = sample_report()
    failed = [row["id"] for row in view.rows_with(report, "fail")]
    lines = list(workflow_commands(report))
    assert [line.partition("title=")[2].partition("::")[0] for line in lines] == failed
    assert all(line.startswith(("::error ", "::warning ")) for line in lines)


def test_a_server_forges_no_command() -> None:
    report = copy.deepcopy(sample_report())
    row = next(row for row in report["requirements"] if row["verdict"] == "fail")
    row["violations"][0]["sentence"] = "50%\r\n::error::forged"
    line = next(line for line in workflow_commands(report) if f"title={row['id']}" in line)
    assert "\n" not in line
    assert "\r" not in line
    assert "50%25" in line
