"""The report for the summary page of a CI job."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import Report, Row
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.core.reports.markdown import bullets, document, table
from sendpoll.core.text.safe import markdown, markdown_code
from sendpoll.core.text.units import counted
from sendpoll.schemas.catalogue import CLIENTS, Subject

_SHOWN_ROWS = 50
_SHOWN_KINDS = 3


def markdown_summary(report: Report) -> str:
    """The verdict, how many rows came to what, and the rows that somebody must act on."""
    return document(_blocks(report))


def _blocks(report: Report) -> Iterator[str]:
    yield f"## Sendpoll: {report['verdict']}"
    yield markdown(report["summary"])
    yield _counts(report)
    yield from _failed(report)
    for verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_RECORDED, Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE):
        yield from _reasons(report, verdict)
    yield from _baseline(report)
    yield from _unfinished(report)
    yield from _traits(report)
    yield _facts(report)


def _counts(report: Report) -> str:
    rows = [(view.LABELS[verdict], levels["MUST"], levels["SHOULD"]) for verdict, levels in view.counts(report).items()]
    return table(("", ">MUST", ">SHOULD"), rows)


def _failed(report: Report) -> Iterator[str]:
    rows = [row for row in view.ranked(report) if row["verdict"] == Verdict.FAIL]
    if not rows:
        return
    yield "### Failed"
    shown = [_failed_row(report, row) for row in rows[:_SHOWN_ROWS]]
    heads = ("id", "level", "expected", "observed", "breaks")
    yield table(heads[: len(shown[0])], shown)
    if len(rows) > _SHOWN_ROWS:
        yield f"{counted(len(rows) - _SHOWN_ROWS, 'more row')} in report.json."


def _failed_row(report: Report, row: Row) -> tuple[str, ...]:
    known = " (known)" if view.is_known(report, row["id"]) else ""
    if causes := view.causes(report, row):
        known += f" (follows from {', '.join(causes)})"
    observed = "<br>".join(_observed(kind) for kind in view.kinds(row["violations"])[:_SHOWN_KINDS])
    cells = f"**{row['id']}**{known}", row["level"], markdown(row["title"]), observed
    if view.subject(report) is Subject.CLIENT:
        return cells
    clients = ", ".join(CLIENTS.get(letter, letter) for letter in row["breaks"]) or "no published client"
    return (*cells, markdown(clients))


def _observed(kind: view.Kind) -> str:
    times = f" ({counted(kind.count, 'time')})" if kind.count > 1 else ""
    return markdown_code(kind.first["sentence"]) + times


def _reasons(report: Report, verdict: Verdict) -> Iterator[str]:
    rows = view.rows_with(report, verdict)
    if rows:
        yield f"### {view.LABELS[verdict].capitalize()}"
        told = [(f"**{row['id']}**", row["level"], markdown(row["reason"])) for row in rows]
        yield table(("id", "level", "why, and what to do"), told)


def _baseline(report: Report) -> Iterator[str]:
    baseline = report.get("baseline")
    if baseline is None:
        return
    told = {
        "stale, take the row out": baseline["stale"],
        "expired, mend it or give a later date": baseline["expired"],
        "not listed": baseline["unlisted"],
        "known": baseline["known"],
    }
    yield "### Baseline"
    lines = [f"{label}: {', '.join(ids)}" for label, ids in told.items() if ids]
    yield bullets(lines) or "Nothing failed and nothing was listed."


def _unfinished(report: Report) -> Iterator[str]:
    unfinished = report.get("unfinished")
    if unfinished:
        rows = ", ".join(unfinished["rows"])
        yield f"What judges the rows that are left ({markdown(rows)}):"
        yield markdown_code(unfinished["command"])


def _traits(report: Report) -> Iterator[str]:
    if report.get("traits"):
        yield "### What kind of server it is"
        yield table(
            ("trait", "what showed it"),
            [(markdown(trait["sentence"]), markdown(trait["evidence"])) for trait in report["traits"]],
        )


def _facts(report: Report) -> str:
    return f"{markdown_code(view.target(report))}: {view.run_facts(report)}, sendpoll {report['tool']['version']}"
