"""Verdicts: how checks join to rows and rows to a run, and that nothing unexercised is ever green."""

from __future__ import annotations

import itertools

import pytest

from sendpoll.conformance.rules.verdict import ExitCode, RunVerdict, Verdict, join, run_verdict
from sendpoll.schemas.catalogue import Level

MUST, SHOULD = Level.MUST, Level.SHOULD
PASS, FAIL = Verdict.PASS, Verdict.FAIL
OPEN = [Verdict.NOT_EXERCISED, Verdict.NOT_RECORDED, Verdict.INCONCLUSIVE]


@pytest.mark.parametrize(
    ("verdicts", "joined"),
    [
        ([], Verdict.NOT_EXERCISED),
        ([PASS, FAIL], FAIL),
        ([Verdict.INCONCLUSIVE, PASS], Verdict.INCONCLUSIVE),
        ([PASS, Verdict.NOT_EXERCISED], PASS),
        ([Verdict.NOT_EXERCISED, Verdict.NOT_APPLICABLE], Verdict.NOT_EXERCISED),
        ([Verdict.NOT_APPLICABLE], Verdict.NOT_APPLICABLE),
        ([Verdict.INCONCLUSIVE, FAIL], FAIL),
    ],
)
def test_the_checks_of_a_row_join(verdicts: list[Verdict], joined: Verdict) -> None:
    assert join(verdicts) is joined


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_row_fails_exactly_if_one_of_its_checks_does(size: int) -> None:
    for verdicts in itertools.product(Verdict, repeat=size):
        assert (join(verdicts) is FAIL) == (FAIL in verdicts)


@pytest.mark.parametrize("level", ["must", "should"])
@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    ("rows", "verdict", "code"),
    [
        ([(MUST, PASS)], RunVerdict.CONFORMANT, ExitCode.CONFORMANT),
        ([(MUST, PASS), (MUST, Verdict.NOT_APPLICABLE)], RunVerdict.CONFORMANT, ExitCode.CONFORMANT),
        ([(MUST, FAIL), (MUST, Verdict.NOT_EXERCISED)], RunVerdict.NONCONFORMANT, ExitCode.FAILED),
        ([(MUST, PASS), (MUST, Verdict.NOT_EXERCISED)], RunVerdict.UNDETERMINED, ExitCode.UNDETERMINED),
        ([(MUST, PASS), (MUST, Verdict.INCONCLUSIVE)], RunVerdict.UNDETERMINED, ExitCode.UNDETERMINED),
        ([(MUST, Verdict.NOT_APPLICABLE)], RunVerdict.UNDETERMINED, ExitCode.UNDETERMINED),
        ([], RunVerdict.UNDETERMINED, ExitCode.UNDETERMINED),
    ],
)
def test_a_run_is_judged_by_its_rows(
    rows: list[tuple[Level, Verdict]], verdict: RunVerdict, code: ExitCode, level: str, strict: bool
) -> None:
    assert run_verdict(rows, level=level, strict=strict) == (verdict, code)


@pytest.mark.parametrize(("level", "strict"), [("must", False), ("must", True), ("should", False)])
def test_a_failed_should_row_alone_fails_nothing(level: str, strict: bool) -> None:
    assert run_verdict([(MUST, PASS), (SHOULD, FAIL)], level=level, strict=strict)[1] is ExitCode.CONFORMANT


def test_a_failed_should_row_fails_a_strict_run() -> None:
    assert run_verdict([(MUST, PASS), (SHOULD, FAIL)], level="should", strict=True)[1] is ExitCode.FAILED


def test_should_rows_that_were_asked_for_alone_can_pass() -> None:
    """`--only CACHE-1` judges one SHOULD row."""
    assert run_verdict([(SHOULD, PASS)], level="should", strict=False)[1] is ExitCode.CONFORMANT


@pytest.mark.parametrize("unjudged", OPEN)
def test_should_rows_that_were_asked_for_alone_are_not_green_unexercised(unjudged: Verdict) -> None:
    assert run_verdict([(SHOULD, unjudged)], level="should", strict=False)[1] is ExitCode.UNDETERMINED


def test_no_combination_is_conformant_with_an_open_or_failed_must_row() -> None:
    for verdicts in itertools.product(Verdict, repeat=3):
        code = run_verdict([(MUST, verdict) for verdict in verdicts], level="should", strict=False)[1]
        green = PASS in verdicts and not {FAIL, *OPEN} & set(verdicts)
        assert (code is ExitCode.CONFORMANT) == green


@pytest.mark.parametrize("verdict", OPEN)
@pytest.mark.parametrize(("level", "strict"), [("must", False), ("must", True), ("should", False), ("should", True)])
def test_a_strict_run_is_undetermined_by_what_was_not_looked_at(verdict: Verdict, level: str, strict: bool) -> None:
    code = run_verdict([(MUST, PASS), (SHOULD, verdict)], level=level, strict=strict)[1]
    assert code is (ExitCode.UNDETERMINED if strict and level == "should" else ExitCode.CONFORMANT)


def test_what_happened_to_happen_leaves_nothing_open() -> None:
    rows = [(MUST, PASS), (MUST, Verdict.NOT_EXERCISED), (MUST, Verdict.NOT_RECORDED)]
    assert run_verdict(rows, level="should", strict=False, whole=False)[1] is ExitCode.CONFORMANT
    assert run_verdict([*rows, (MUST, FAIL)], level="should", strict=False, whole=False)[1] is ExitCode.FAILED
    assert run_verdict(rows[1:], level="should", strict=False, whole=False)[1] is ExitCode.UNDETERMINED
