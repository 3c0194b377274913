"""What the renderings ask of a report: its rows by verdict, what breaks which client, what turned the run red."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from sendpoll.conformance.results.causes import explained_by
from sendpoll.conformance.results.report_json import Report, Row, ViolationTold
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.core.text.units import counted
from sendpoll.schemas.catalogue import CLIENTS, Subject
from sendpoll.schemas.contract import document

LABELS: Mapping[str, str] = MappingProxyType(
    {
        Verdict.FAIL: "failed",
        Verdict.INCONCLUSIVE: "inconclusive",
        Verdict.NOT_RECORDED: "not recorded",
        Verdict.NOT_EXERCISED: "not exercised",
        Verdict.PASS: "passed",
        Verdict.NOT_APPLICABLE: "not applicable",
    }
)
"""Each verdict in words, in the order in which a reader wants the rows."""

_COMMANDS: Mapping[Subject, str] = MappingProxyType(
    {Subject.SERVER: "sendpoll check", Subject.CLIENT: "sendpoll client", Subject.TRAFFIC: "sendpoll judge"}
)
_PARTICULARS = re.compile(r"""'[^']*'|"[^"]*"|\S*\d\S*""")


@dataclass(frozen=True, slots=True)
class Kind:
    """Violations that say the same but for numbers and quoted values."""

    first: ViolationTold
    others: tuple[ViolationTold, ...]

    @property
    def count(self) -> int:
        """How many exchanges showed it."""
        total: int = sum(violation["count"] for violation in (self.first, *self.others))
        return total


@functools.cache
def tried() -> frozenset[str]:
    """The requirements on which the real clients were run, each against a server with that fault alone."""
    return frozenset(document("who_breaks.json"))


def subject(report: Report) -> Subject:
    """Of whom the report's requirements ask something."""
    return Subject(report["subject"])


def target(report: Report) -> str:
    """The server's URL, or the client as it was called."""
    told: str = report["target"]["command" if subject(report) is Subject.CLIENT else "url"]
    return told


def command(report: Report) -> str:
    """The command that made the report."""
    return _COMMANDS[subject(report)]


def run_facts(report: Report) -> str:
    """What a run sent, or was sent, how long it took, and what it takes to have it again."""
    sent = f"{counted(report['requests'], 'request')}, {counted(report['messages_sent'], 'message')}"
    if subject(report) is Subject.TRAFFIC:
        return f"{sent}, over {report['duration_s']:.1f} s"
    more = f"seed {report['seed']}" if "seed" in report else counted(len(report["situations"]), "situation")
    return f"{sent}, {report['duration_s']:.1f} s, {more}"


def alike(sentence: str) -> str:
    """What sentences of one kind have in common."""
    return _PARTICULARS.sub("#", sentence)


def kinds(violations: Iterable[ViolationTold]) -> list[Kind]:
    """Violations by their kind, in the order in which each kind was first seen."""
    found: dict[str, list[ViolationTold]] = {}
    for violation in violations:
        found.setdefault(alike(violation["sentence"]), []).append(violation)
    return [Kind(first, tuple(others)) for first, *others in found.values()]


def rows_with(report: Report, verdict: str) -> list[Row]:
    """The rows of one verdict, in the order of the catalogue; of failed ones, those first that explain others."""
    found = [row for row in report["requirements"] if row["verdict"] == verdict]
    return sorted(found, key=lambda row: bool(causes(report, row))) if verdict == Verdict.FAIL else found


def causes(report: Report, row: Row) -> list[str]:
    """The failed rows that explain the failure of this one."""
    if row["verdict"] != Verdict.FAIL:
        return []
    return explained_by(
        row["id"], (other["id"] for other in report["requirements"] if other["verdict"] == Verdict.FAIL)
    )


def ranked(report: Report) -> list[Row]:
    """All rows, those first that a reader must act on, and before what they explain."""
    ranks = {verdict: rank for rank, verdict in enumerate(LABELS)}

    def rank(row: Row) -> tuple[int, bool, bool]:
        return ranks[row["verdict"]], row["level"] != "MUST", bool(causes(report, row))

    return sorted(report["requirements"], key=rank)


def counts(report: Report) -> dict[str, dict[str, int]]:
    """Verdict to level to the number of rows; what a recording lacks is a verdict of reports on traffic alone."""
    possible = [one for one in LABELS if one != Verdict.NOT_RECORDED or subject(report) is Subject.TRAFFIC]
    table = {verdict: {"MUST": 0, "SHOULD": 0} for verdict in possible}
    for row in report["requirements"]:
        table[row["verdict"]][row["level"]] += 1
    return table


def is_known(report: Report, requirement: str) -> bool:
    """Whether the baseline that the run was given lists the failure."""
    return requirement in report.get("baseline", {}).get("known", [])


def known_reason(report: Report, requirement: str) -> str:
    """Why the baseline says that the failure is known."""
    reason: str = report.get("baseline", {}).get("reasons", {}).get(requirement, "")
    return reason


def is_whole(report: Report) -> bool:
    """Whether rows that nothing was said of leave the run undetermined: in traffic that only happened, if `strict`."""
    return subject(report) is not Subject.TRAFFIC or report["strict"]


def is_judged(report: Report, row: Row) -> bool:
    """Whether the run was asked to judge rows of this level."""
    return bool(row["level"] == "MUST" or report["level"] == "should")


def counts_against(report: Report, row: Row) -> bool:
    """Whether a failure of this row fails the run, if no baseline excuses it."""
    return bool(row["level"] == "MUST" or (report["level"] == "should" and report["strict"]))


def fails_run(report: Report, row: Row) -> bool:
    """Whether this row alone turns the run red."""
    return row["verdict"] == Verdict.FAIL and counts_against(report, row) and not is_known(report, row["id"])


def broken_clients(report: Report) -> dict[str, list[str]]:
    """Client letter to the ids of the failed rows that break it; empty of a report that is about a client."""
    if subject(report) is Subject.CLIENT:
        return {}
    failed = rows_with(report, Verdict.FAIL)
    return {letter: [row["id"] for row in failed if letter in row["breaks"]] for letter in CLIENTS}
