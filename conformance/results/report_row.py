"""A row of `report.json`: what its requirement says, and what it came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sendpoll.conformance.results.report_json import Row, ViolationTold
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.schemas.catalogue import Requirement
from sendpoll.schemas.contract import JSON

_KEPT_VIOLATIONS = 60
"""Sentences of one row that differ: a server can be wrong in a thousand of them."""


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What a row came to, whoever judged it."""

    verdict: Verdict
    exercised: int
    violations: Sequence[JSON]
    """As the report tells them, however many there are."""
    reason: str
    """Why it is neither pass nor fail; empty where it is."""
    checks: Sequence[str]
    """What judged it."""


def row_told(row: Requirement, came: RowOutcome) -> Row:
    """The row as every report writes it."""
    return {
        "id": row.id,
        "level": str(row.level),
        "title": row.sentence,
        "because": row.because,
        "breaks": dict(row.breaks),
        "verdict": str(came.verdict),
        "exercised": came.exercised,
        "violations": cast(list[ViolationTold], _bounded(came.violations)),
        "reason": came.reason,
        "checks": list(came.checks),
    }


def _bounded(violations: Sequence[JSON]) -> list[JSON]:
    """The first of a row's violations; what is left out is counted with the last of them."""
    kept = [*violations[:_KEPT_VIOLATIONS]]
    if len(violations) > _KEPT_VIOLATIONS:
        rest = sum(one["count"] for one in violations[_KEPT_VIOLATIONS:])
        kept[-1] = {**kept[-1], "count": kept[-1]["count"] + rest}
    return kept
