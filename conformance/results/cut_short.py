"""A report of a run that a signal ended before its time."""

from __future__ import annotations

from sendpoll.conformance.results.report_json import Report
from sendpoll.conformance.rules.verdict import ExitCode, RunVerdict
from sendpoll.core.interruption import exit_code, signal_name


def cut_short(report: Report, number: int) -> Report:
    """The report of a run that this signal cut short: what failed has failed, and nothing is conformant.

    A fault of the suite itself is told first, whoever stopped it then.
    """
    name = signal_name(number)
    broken = report["exit_code"] == ExitCode.BROKEN
    conformant = report["verdict"] == RunVerdict.CONFORMANT
    changed: Report = {
        **report,
        "verdict": "undetermined" if conformant else report["verdict"],
        "exit_code": report["exit_code"] if broken else exit_code(number),
        "summary": f"Cut short by {name} after {report['duration_s']:.1f} s. {report['summary']}",
        "interrupted": name,
    }
    return changed
