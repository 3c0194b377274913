"""The verdict as a badge: the JSON that a shields endpoint serves."""

from __future__ import annotations

import json

from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import Report
from sendpoll.conformance.rules.verdict import RunVerdict, Verdict

_COLOURS = {
    RunVerdict.CONFORMANT: "brightgreen",
    RunVerdict.NONCONFORMANT: "red",
    RunVerdict.UNDETERMINED: "lightgrey",
}


def badge(report: Report) -> str:
    """The badge's JSON text. It says conformant only where the run did."""
    verdict = RunVerdict(report["verdict"])
    told = {"schemaVersion": 1, "label": "send-and-poll", "message": badge_message(report)}
    return json.dumps(told | {"color": _COLOURS[verdict]}, indent=2) + "\n"


def badge_message(report: Report) -> str:
    """The verdict in a few words."""
    verdict = RunVerdict(report["verdict"])
    failed = [level for level, count in view.counts(report)[Verdict.FAIL].items() for _ in range(count)]
    if verdict is not RunVerdict.NONCONFORMANT or not failed:
        return str(verdict)
    parts = [f"{failed.count(level)} {level}" for level in ("MUST", "SHOULD") if level in failed]
    return f"{' and '.join(parts)} failed"
