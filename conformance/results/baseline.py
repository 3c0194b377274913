"""Known failures: a list that a team keeps beside its server or client, so that a run turns red on news alone.

The list is held to be true: each row says why the failure may stay, a row whose requirement passes again is stale and
fails the run, and so does one that has expired.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import yaml

from sendpoll.conformance.results import view
from sendpoll.conformance.results.report_json import BaselineTold, Report, Row
from sendpoll.conformance.rules.verdict import ExitCode, Verdict, run_verdict
from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_yaml
from sendpoll.core.files.parsed import Parsed
from sendpoll.core.files.schema import require
from sendpoll.core.files.yaml_file import parse_yaml
from sendpoll.schemas.catalogue import Level, Requirement, Subject, load_catalogue
from sendpoll.schemas.contract import JSON


class BaselineError(ValueError):
    """The baseline is wrong; the message names the file, the row and the mend."""


class KnownFailureJson(TypedDict):
    """A row of a baseline file."""

    id: str
    reason: str
    expires: NotRequired[str]
    issue: NotRequired[str]


class BaselineJson(TypedDict):
    """A whole baseline file, as `files/baseline.json` of the schemas has it."""

    known_failures: list[KnownFailureJson]


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """One row: a requirement that fails, and why it may."""

    requirement: str
    reason: str
    expires: date | None = None
    """The last day on which it is excused."""
    issue: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """All known failures of a server or a client."""

    rows: tuple[KnownFailure, ...] = ()

    @property
    def by_id(self) -> dict[str, KnownFailure]:
        """Each row under its requirement."""
        return {row.requirement: row for row in self.rows}


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """How a run compares with a baseline: requirement ids, each list in the order of the report."""

    known: tuple[str, ...]
    """Listed, and failing as listed."""
    stale: tuple[str, ...]
    """Listed, and passing: the row must go."""
    expired: tuple[str, ...]
    """Listed with a date that is over, and not passing."""
    unlisted: tuple[str, ...]
    """Failing in a way that fails the run, and not listed."""
    reasons: dict[str, str]
    """Listed requirement to the reason of its row."""

    @property
    def fails_run(self) -> bool:
        """Whether there is anything but known failures."""
        return bool(self.stale or self.expired or self.unlisted)

    def as_json(self) -> BaselineTold:
        """The `baseline` member of a report."""
        return {
            "known": list(self.known),
            "stale": list(self.stale),
            "expired": list(self.expired),
            "unlisted": list(self.unlisted),
            "reasons": dict(self.reasons),
        }


def compare(report: Report, baseline: Baseline, today: date) -> BaselineResult:
    """Hold a report against a baseline.

    A listed row that was not exercised, does not apply or is inconclusive is neither known nor stale: the run says
    nothing about it. A failed SHOULD row that is not listed counts as unlisted only where it fails the run (`strict`).
    """
    listed = baseline.by_id
    known, stale, expired, unlisted = [], [], [], []
    for row in report["requirements"]:
        entry = listed.get(row["id"])
        if entry is None:
            if row["verdict"] == Verdict.FAIL and view.counts_against(report, row):
                unlisted.append(row["id"])
        elif row["verdict"] == Verdict.PASS:
            stale.append(row["id"])
        elif entry.expires is not None and entry.expires < today:
            expired.append(row["id"])
        elif row["verdict"] == Verdict.FAIL:
            known.append(row["id"])
    reasons = {entry.requirement: _reason(entry) for entry in baseline.rows}
    return BaselineResult(tuple(known), tuple(stale), tuple(expired), tuple(unlisted), reasons)


def apply_baseline(report: Report, baseline: Baseline, today: date) -> Report:
    """The report of a run that knew of these failures.

    The verdict is about the server and stays what it is. The exit code is about the run: known failures do not fail it,
    and a row that is stale or expired does.
    """
    result = compare(report, baseline, today)
    code = ExitCode(report["exit_code"])
    if code is not ExitCode.BROKEN:
        code = ExitCode.FAILED if result.fails_run else _code_without(report, result.known)
    summary = f"{report['summary']} {_sentence(result)}"
    return {**report, "baseline": result.as_json(), "exit_code": int(code), "summary": summary}


def _code_without(report: Report, known: Iterable[str]) -> ExitCode:
    """The exit code that the rows beside the known failures make; 0 where there are no others."""
    excused = set(known)
    rows = [row for row in report["requirements"] if row["id"] not in excused]
    judged = [(Level(row["level"]), Verdict(row["verdict"])) for row in rows]
    strict = report["strict"] and report["level"] == "should"
    if excused and not any(level is Level.MUST or strict for level, _ in judged):
        return ExitCode.CONFORMANT
    whole = view.is_whole(report)
    return run_verdict(judged, level=report["level"], strict=report["strict"], whole=whole)[1]


def _sentence(result: BaselineResult) -> str:
    told = {"stale": result.stale, "expired": result.expired, "not listed": result.unlisted}
    wrong = "; ".join(f"{label}: {', '.join(ids)}" for label, ids in told.items() if ids)
    if wrong:
        return f"Against the baseline: {wrong}."
    return "Every failure is a known one of the baseline." if result.known else "The baseline has nothing to excuse."


def _reason(entry: KnownFailure) -> str:
    until = f", until {entry.expires}" if entry.expires else ""
    issue = f" ({entry.issue})" if entry.issue else ""
    return f"{entry.reason}{until}{issue}"


def load_baseline(path: Path, subject: Subject = Subject.SERVER) -> Baseline:
    """Read a baseline file; its rows are those of the subject's catalogue.

    Raises BaselineError where it cannot be read or is no baseline.
    """
    try:
        return _baseline_of(load_yaml(path, all_text=True), str(path), subject)
    except FileError as error:
        raise BaselineError(f"{error}; --write-baseline makes one") from error


def parse_baseline(text: str, source: str, subject: Subject = Subject.SERVER) -> Baseline:
    """The baseline in a YAML text; `source` is the file that an error names. Raises BaselineError."""
    try:
        return _baseline_of(parse_yaml(text, source, all_text=True), source, subject)
    except FileError as error:
        raise BaselineError(str(error)) from error


def _baseline_of(parsed: Parsed, source: str, subject: Subject) -> Baseline:
    """All words are texts, so that a day that does not exist is ours to tell."""
    require(parsed, "files/baseline.json", source)
    entries, known = parsed.value["known_failures"], load_catalogue(subject).by_id
    rows = tuple(_row(number, entry, source, known) for number, entry in enumerate(entries, start=1))
    _no_id_twice(rows, source)
    return Baseline(rows)


def _where(number: int, entry: Any) -> str:
    named = isinstance(entry, dict) and isinstance(entry.get("id"), str)
    return f"row {number} ({entry['id']})" if named else f"row {number}"


def _row(number: int, entry: JSON, source: str, known: Mapping[str, Requirement]) -> KnownFailure:
    where = f"{source}: {_where(number, entry)}"
    if entry["id"] not in known:
        near = difflib.get_close_matches(entry["id"], known, n=3)
        mend = f"did you mean {' or '.join(near)}?" if near else "sendpoll requirements lists them"
        raise BaselineError(f"{where}: the catalogue has no requirement {entry['id']}; {mend}")
    expires = None
    if "expires" in entry:
        try:
            expires = date.fromisoformat(entry["expires"])
        except ValueError as error:
            raise BaselineError(f"{where}: expires: {entry['expires']} is no day; write it as 2027-01-31") from error
    return KnownFailure(entry["id"], " ".join(entry["reason"].split()), expires, entry.get("issue", ""))


def _no_id_twice(rows: Iterable[KnownFailure], source: str) -> None:
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, start=1):
        if row.requirement in seen:
            first = seen[row.requirement]
            raise BaselineError(f"{source}: rows {first} and {number} are both for {row.requirement}; join them to one")
        seen[row.requirement] = number


def write_baseline(report: Report, previous: Baseline | None = None) -> str:
    """The YAML text of a baseline that lists what fails now.

    Rows of `previous` that still fail keep their reason, date and issue; a new one says what was observed, for its
    reader to put a reason in its place.
    """
    kept = (previous or Baseline()).by_id
    failed = [row for row in report["requirements"] if row["verdict"] == Verdict.FAIL]
    rows = [_as_row(kept[row["id"]]) if row["id"] in kept else _new_row(row, report) for row in failed]
    head = f"# Known failures of this {view.subject(report)}: {view.command(report)} --baseline THIS-FILE\n"
    return head + yaml.safe_dump({"known_failures": rows}, sort_keys=False, allow_unicode=False, width=100)


def _new_row(row: Row, report: Report) -> dict[str, str]:
    observed = row["violations"][0]["sentence"] if row["violations"] else "it failed"
    return {"id": row["id"], "reason": f"seen on {report['started_at'][:10]}: {_legible(observed)}"}


def _legible(text: str) -> str:
    """A text in one line, without halves of surrogate pairs, which no file of ours may hold."""
    return " ".join(text.split())[:200].encode("utf-8", "replace").decode()


def _as_row(entry: KnownFailure) -> dict[str, Any]:
    told: dict[str, Any] = {"id": entry.requirement, "reason": entry.reason}
    if entry.expires is not None:
        told["expires"] = entry.expires
    if entry.issue:
        told["issue"] = entry.issue
    return told
