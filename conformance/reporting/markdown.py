"""The report for the summary page of a CI job."""

from __future__ import annotations

import re

from sendpoll.conformance.reporting.text import one_line, plural
from sendpoll.conformance.results import view
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.schemas.catalogue import CLIENTS
from sendpoll.schemas.contract import JSON

_SENTENCE_CHARACTERS = 300
_SHOWN_ROWS = 50
_SHOWN_KINDS = 3
_SPECIAL = re.compile(r"""[^\w ,.:;()/=+'"-]|_|(?<=\w)\.(?=\w)|:(?=[\w/])""")
"""Signs that Markdown or HTML may take for their own; a stop and a colon only where they could make a link."""


def markdown_summary(report: JSON) -> str:
    """The verdict, how many rows came to what, and the rows that somebody must act on."""
    parts = [
        f"## Sendpoll: {report['verdict']}",
        prose(report["summary"]),
        _counts(report),
        _failed(report),
        *(
            _reasons(report, verdict)
            for verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE)
        ),
        _baseline(report),
        _facts(report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def prose(text: str, limit: int = _SENTENCE_CHARACTERS) -> str:
    """Text on one line in which nothing means anything to Markdown or HTML: each sign as its character reference."""
    return _SPECIAL.sub(lambda sign: f"&#{ord(sign.group())};", one_line(text, limit))


def code(text: str, limit: int = _SENTENCE_CHARACTERS) -> str:
    """What a server said: as `prose`, and in a font of its own, in which nobody is mentioned and nothing linked."""
    return f"<code>{prose(text, limit)}</code>"


def _counts(report: JSON) -> str:
    lines = ["| | MUST | SHOULD |", "|---|---:|---:|"]
    for verdict, levels in view.counts(report).items():
        lines.append(f"| {view.LABELS[verdict]} | {levels['MUST']} | {levels['SHOULD']} |")
    return "\n".join(lines)


def _failed(report: JSON) -> str:
    rows = [row for row in view.ranked(report) if row["verdict"] == Verdict.FAIL]
    if not rows:
        return ""
    lines = ["### Failed", "", "| id | level | expected | observed | breaks |", "|---|---|---|---|---|"]
    for row in rows[:_SHOWN_ROWS]:
        known = " (known)" if view.is_known(report, row["id"]) else ""
        observed = "<br>".join(_observed(kind) for kind in view.kinds(row["violations"])[:_SHOWN_KINDS])
        clients = ", ".join(CLIENTS.get(letter, letter) for letter in row["breaks"]) or "no published client"
        lines.append(
            f"| **{row['id']}**{known} | {row['level']} | {prose(row['title'])} | {observed} | {prose(clients)} |"
        )
    if len(rows) > _SHOWN_ROWS:
        lines.extend(["", f"{plural(len(rows) - _SHOWN_ROWS, 'more row')} in report.json."])
    return "\n".join(lines)


def _observed(kind: view.Kind) -> str:
    times = f" ({kind.count} times)" if kind.count > 1 else ""
    return code(kind.first["sentence"]) + times


def _reasons(report: JSON, verdict: Verdict) -> str:
    rows = view.rows_with(report, verdict)
    if not rows:
        return ""
    lines = [f"### {view.LABELS[verdict].capitalize()}", "", "| id | level | why, and what to do |", "|---|---|---|"]
    lines.extend(f"| **{row['id']}** | {row['level']} | {prose(row['reason'])} |" for row in rows)
    return "\n".join(lines)


def _baseline(report: JSON) -> str:
    baseline = report.get("baseline")
    if baseline is None:
        return ""
    told = {
        "stale, take the row out": baseline["stale"],
        "expired, mend it or give a later date": baseline["expired"],
        "not listed": baseline["unlisted"],
        "known": baseline["known"],
    }
    lines = [f"- {label}: {', '.join(ids)}" for label, ids in told.items() if ids]
    return "\n".join(["### Baseline", "", *(lines or ["Nothing failed and nothing was listed."])])


def _facts(report: JSON) -> str:
    sent = f"{plural(report['requests'], 'request')}, {plural(report['messages_sent'], 'message')}"
    return (
        f"{code(report['target']['url'])}: {sent}, {report['duration_s']:.1f} s, seed {report['seed']}, "
        f"sendpoll {report['tool']['version']}"
    )
