"""What became of each row between two runs on one server: mended, broken, still failing, or not judged again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sendpoll.conformance.results.report_json import Report
from sendpoll.conformance.rules.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Changes:
    """The ids of the rows, each kind in the order of the later report."""

    mended: tuple[str, ...]
    """Failed before, and passed now."""
    broken: tuple[str, ...]
    """Fail now, and did not before."""
    still: tuple[str, ...]
    """Fail as before."""
    open: tuple[str, ...]
    """Failed before, and this run cannot say: a row that was not exercised is not mended."""


def changes(before: Report, after: Report) -> Changes:
    """What became of the rows that the later run judged."""
    failed = {row["id"] for row in before["requirements"] if row["verdict"] == Verdict.FAIL}
    mended: list[str] = []
    broken: list[str] = []
    still: list[str] = []
    undecided: list[str] = []
    for row in after["requirements"]:
        identifier, fails = row["id"], row["verdict"] == Verdict.FAIL
        if fails:
            (still if identifier in failed else broken).append(identifier)
        elif identifier in failed:
            (mended if row["verdict"] == Verdict.PASS else undecided).append(identifier)
    return Changes(tuple(mended), tuple(broken), tuple(still), tuple(undecided))
