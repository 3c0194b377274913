"""Many reports beside each other: what each subject came to, row by row. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import Report, Row
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.schemas.catalogue import Subject

NOT_JUDGED: Final = "not_judged"
"""What stands where a report has no such row: its run was not asked for it, or its version does not know it."""
MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Verdict.PASS: "✓",
        Verdict.FAIL: "✗",
        Verdict.INCONCLUSIVE: "?",
        Verdict.NOT_EXERCISED: "○",
        Verdict.NOT_APPLICABLE: "–",
        NOT_JUDGED: "",
    }
)
"""Each verdict in a narrow column."""


class ComparisonError(Exception):
    """Reports cannot stand on one page; the message names them and the mend."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One report under the name by which it is shown."""

    name: str
    report: Report

    def passed(self, level: str) -> tuple[int, int]:
        """How many rows of a level passed, and of how many that apply to it."""
        rows = [row for row in self.report["requirements"] if row["level"] == level]
        applicable = [row for row in rows if row["verdict"] != Verdict.NOT_APPLICABLE]
        return sum(row["verdict"] == Verdict.PASS for row in applicable), len(applicable)

    @property
    def failed(self) -> list[Row]:
        """The rows that failed, those first that explain others."""
        return view.rows_with(self.report, Verdict.FAIL)


@dataclass(frozen=True, slots=True)
class Cell:
    """What a row came to in one report."""

    verdict: str
    told: str
    """Why, in a sentence; empty where there is nothing to add."""

    @property
    def mark(self) -> str:
        """The verdict in one sign."""
        return MARKS[self.verdict]


@dataclass(frozen=True, slots=True)
class Line:
    """A requirement and what it came to in each report, in their order."""

    id: str
    level: str
    title: str
    cells: tuple[Cell, ...]

    @property
    def failures(self) -> int:
        """In how many reports it failed."""
        return sum(cell.verdict == Verdict.FAIL for cell in self.cells)

    @property
    def is_green(self) -> bool:
        """Whether it passed in all of them, or was nothing to some."""
        return all(cell.verdict in {Verdict.PASS, Verdict.NOT_APPLICABLE} for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Reports of one kind of subject, and all rows that any of them has."""

    subject: Subject
    entries: tuple[Entry, ...]
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    """What keeps two columns from being compared."""


def compare(entries: Sequence[Entry]) -> Comparison:
    """The reports beside each other. Raises ComparisonError."""
    if not entries:
        raise ComparisonError("there is no report to show; name one at least")
    subjects = {entry.report["subject"]: entry.name for entry in entries}
    if len(subjects) > 1:
        told = " and ".join(f"{name} is of a {subject}" for subject, name in subjects.items())
        raise ComparisonError(f"{told}: the two are judged by other rows; make a page of each kind")
    names = [entry.name for entry in entries]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ComparisonError(f"two reports are called {twice}; name them, as in NAME=PATH")
    (subject,) = subjects
    return Comparison(Subject(subject), tuple(entries), tuple(_lines(entries)), tuple(_notes(entries)))


def _lines(entries: Sequence[Entry]) -> Iterator[Line]:
    """Each row as the youngest report that has it words it; MUST rows first, each kind in the catalogue's order."""
    found: dict[str, Row] = {}
    for entry in sorted(entries, key=lambda entry: entry.report["started_at"]):
        found |= {row["id"]: row for row in entry.report["requirements"]}
    by_entry = [{row["id"]: row for row in entry.report["requirements"]} for entry in entries]
    for row in sorted(found.values(), key=lambda row: row["level"] != "MUST"):
        yield Line(row["id"], row["level"], row["title"], tuple(_cell(rows.get(row["id"])) for rows in by_entry))


def _cell(row: Row | None) -> Cell:
    if row is None:
        return Cell(NOT_JUDGED, "")
    observed = next((violation["sentence"] for violation in row["violations"]), "")
    return Cell(row["verdict"], observed or row["reason"])


def _notes(entries: Sequence[Entry]) -> Iterator[str]:
    versions = {entry.report["tool"]["version"] for entry in entries}
    if len(versions) > 1:
        yield f"The reports were written by versions {', '.join(sorted(versions))}, whose rows may differ."
    musts = [entry.name for entry in entries if entry.report["level"] == "must"]
    if musts and len(musts) < len(entries):
        yield f"Judged by MUST rows alone: {', '.join(musts)}."
    for entry in entries:
        if "interrupted" in entry.report:
            yield f"{entry.name} was cut short by {entry.report['interrupted']}."
