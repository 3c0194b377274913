"""Verdicts: what a requirement can come to, how several checks of it join, and what a run's exit code is."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum

from sendpoll.schemas.catalogue import Level


class Verdict(StrEnum):
    """What a requirement came to."""

    PASS = "pass"  # noqa: S105 - a verdict, no secret
    FAIL = "fail"
    NOT_EXERCISED = "not_exercised"
    """No exchange could have failed it; never green."""
    NOT_RECORDED = "not_recorded"
    """Exchanges could have failed it, and what would tell was not recorded."""
    NOT_APPLICABLE = "not_applicable"
    """Declared, with a reason."""
    INCONCLUSIVE = "inconclusive"
    """The control twin failed too, or the target died."""


class RunVerdict(StrEnum):
    """What a run came to."""

    CONFORMANT = "conformant"
    NONCONFORMANT = "nonconformant"
    UNDETERMINED = "undetermined"


class ExitCode(IntEnum):
    """What `sendpoll check` tells the shell."""

    CONFORMANT = 0
    FAILED = 1
    USAGE = 2
    UNDETERMINED = 3
    BROKEN = 4
    """The suite itself broke."""


_ORDER = (
    Verdict.FAIL,
    Verdict.INCONCLUSIVE,
    Verdict.PASS,
    Verdict.NOT_RECORDED,
    Verdict.NOT_EXERCISED,
    Verdict.NOT_APPLICABLE,
)
"""Which of several checks of one requirement speaks for it: the first of these that occurs."""


def join(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict of a requirement from those of its checks; not exercised where there is none."""
    found = set(verdicts)
    return next((verdict for verdict in _ORDER if verdict in found), Verdict.NOT_EXERCISED)


_OPEN = frozenset({Verdict.NOT_EXERCISED, Verdict.NOT_RECORDED, Verdict.INCONCLUSIVE})


def run_verdict(
    rows: Iterable[tuple[Level, Verdict]], *, level: str, strict: bool, whole: bool = True
) -> tuple[RunVerdict, ExitCode]:
    """The verdict and the exit code of a run that judged these rows.

    A failed SHOULD row fails the run only where it is judged (`level` should) and `strict`. An applicable MUST row that
    was not exercised or is inconclusive leaves the run undetermined, unless something failed; so does such a SHOULD row
    where the run is `strict`, or none but SHOULD rows are judged. A run in which no row came to pass or fail says
    nothing either. Where rows were judged by what happened to happen (not `whole`), those that it says nothing of
    leave nothing undetermined.
    """
    found = list(rows)
    must = [verdict for row, verdict in found if row is Level.MUST]
    should = [verdict for row, verdict in found if row is Level.SHOULD]
    if Verdict.FAIL in must or (strict and level == "should" and Verdict.FAIL in should):
        return RunVerdict.NONCONFORMANT, ExitCode.FAILED
    asked = level == "should" and (strict or not must)
    deciding = set(must + should if asked else must)
    if not {Verdict.PASS, Verdict.FAIL} & deciding or (whole and _OPEN & deciding):
        return RunVerdict.UNDETERMINED, ExitCode.UNDETERMINED
    return RunVerdict.CONFORMANT, ExitCode.CONFORMANT
