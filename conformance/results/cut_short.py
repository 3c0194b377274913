"""A report of a run that a signal ended before its time."""

from __future__ import annotations

from sendpoll.conformance.rules.verdict import ExitCode, RunVerdict
from sendpoll.core.interruption import exit_code, signal_name
from sendpoll.schemas.contract import JSON


def cut_short(report: JSON, number: int) -> JSON:
    """The report of a run that this signal cut short: what failed has failed, and nothing is conformant.

    A fault of the suite itself is told first, whoever stopped it then.
    """
    name = signal_name(number)
    broken = report["exit_code"] == ExitCode.BROKEN
    conformant = report["verdict"] == RunVerdict.CONFORMANT
    return report | {
        "verdict": str(RunVerdict.UNDETERMINED) if conformant else report["verdict"],
        "exit_code": report["exit_code"] if broken else exit_code(number),
        "summary": f"Cut short by {name} after {report['duration_s']:.1f} s. {report['summary']}",
        "interrupted": name,
    }
