"""The report as JUnit XML: a case a requirement."""

from __future__ import annotations

from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import Report, Row
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.core.reports.junit import CaseOutcome, TestCase, TestSuite
from sendpoll.core.text.safe import one_line
from sendpoll.core.text.units import counted

_MESSAGE_CHARACTERS = 400


def junit_report(report: Report) -> str:
    """The whole document.

    A failed row is a failure and an inconclusive one an error. Rows that were not exercised or recorded, do not apply,
    were not to be judged or fail as the baseline says they do are skipped, each with its reason.
    """
    cases = [_case(report, row) for row in report["requirements"]]
    if "interrupted" in report:
        cases.append(TestCase("sendpoll", "not cut short", "error", report["summary"]))
    properties = {
        "verdict": report["verdict"],
        "summary": report["summary"],
        "target": view.target(report),
        "version": report["tool"]["version"],
        "requests": str(report["requests"]),
        "messages_sent": str(report["messages_sent"]),
    }
    properties |= {"seed": str(report["seed"])} if "seed" in report else {}
    return TestSuite(name=view.command(report), cases=cases, properties=properties).xml()


def _case(report: Report, row: Row) -> TestCase:
    outcome, message = _outcome(report, row)
    return TestCase(
        group=f"sendpoll.{row['id'].partition('-')[0]}",
        name=f"{row['id']} ({row['level']}): {row['title']}",
        outcome=outcome,
        message=one_line(message, _MESSAGE_CHARACTERS),
        detail=_detail(row) if outcome == "failure" and row["verdict"] == Verdict.FAIL else "",
    )


def _outcome(report: Report, row: Row) -> tuple[CaseOutcome, str]:
    if row["id"] in report.get("baseline", {}).get("stale", []):
        return "failure", "the baseline lists it as a known failure, and it passes: take its row out of the baseline"
    if row["verdict"] == Verdict.PASS:
        return "passed", ""
    skipped = _why_skipped(report, row)
    if skipped:
        return "skipped", skipped
    if row["verdict"] == Verdict.INCONCLUSIVE:
        return "error", f"inconclusive: {row['reason']}"
    return "failure", "; ".join(kind.first["sentence"] for kind in view.kinds(row["violations"])) or "failed"


def _why_skipped(report: Report, row: Row) -> str:
    """Why a row that did not pass says nothing against the server in this run; empty where it does."""
    label, verdict = view.LABELS[row["verdict"]], row["verdict"]
    if verdict in {Verdict.NOT_EXERCISED, Verdict.NOT_RECORDED, Verdict.NOT_APPLICABLE}:
        return f"{label}: {row['reason']}"
    if not view.is_judged(report, row):
        return f"{label}, and not to be judged: this run was asked for MUST rows alone"
    if view.is_known(report, row["id"]):
        return f"known failure: {view.known_reason(report, row['id']) or 'listed in the baseline'}"
    return ""


def _detail(row: Row) -> str:
    lines = [row["title"], f"Because {row['because']}."]
    lines.extend(f"Breaks {client}: {told}" for client, told in row["breaks"].items())
    for kind in view.kinds(row["violations"]):
        lines.extend(["", f"Observed ({counted(kind.count, 'time')}): {kind.first['sentence']}"])
        for exchange in kind.first["exchanges"][:1]:
            response = exchange["response"]
            request = exchange["request"]
            lines.append(exchange.get("curl", f"{request['method']} {request['target']}"))
            lines.append(f"{response['status']} {response['reason']}" if response else exchange["failure"])
            lines.extend([response["body"]] if response else [])
    return "\n".join(lines)
