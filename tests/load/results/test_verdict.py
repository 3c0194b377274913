from __future__ import annotations

from typing import Literal

import pytest

from sendpoll.load.measure.records import Ledger
from sendpoll.load.measure.slo import NO_VIOLATIONS, parse_objective
from sendpoll.load.results.gates import Gate, decide
from sendpoll.load.results.verdict import ExitCode, verdict_of

SOUND = Ledger(started=10, good=10)
LOST = Ledger(started=11, good=10)
PASSED = decide(parse_objective("ttfe p95 <= 2s"), 100, 100)
FAILED = decide(parse_objective("task p95 <= 2s"), 0, 100)
OPEN = decide(parse_objective("errors <= 1%"), 10, 10)
BROKEN = decide(NO_VIOLATIONS, 9, 10)
LATE = "the event loop was 80 ms late at its p99"


@pytest.mark.parametrize(
    ("gates", "ledger", "problems", "unreachable", "code"),
    [
        ([PASSED], SOUND, [], None, ExitCode.PASS),
        ([PASSED, FAILED, OPEN], SOUND, [], None, ExitCode.SLO_FAILED),
        ([PASSED, OPEN], SOUND, [], None, ExitCode.INCONCLUSIVE),
        ([PASSED], SOUND, [LATE], None, ExitCode.INVALID),
        ([FAILED], SOUND, [LATE], None, ExitCode.INVALID),
        ([PASSED], LOST, [], None, ExitCode.INVALID),
        ([FAILED], Ledger(), [LATE], "connection refused", ExitCode.UNREACHABLE),
        ([BROKEN], SOUND, [], None, ExitCode.SLO_FAILED),
    ],
)
def test_the_exit_code_of_a_run(
    gates: list[Gate], ledger: Ledger, problems: list[str], unreachable: str | None, code: ExitCode
) -> None:
    verdict = verdict_of(gates, ledger, problems, unreachable)
    assert verdict.code is code
    assert verdict.sentence


def test_a_late_generator_does_not_hide_a_broken_requirement() -> None:
    verdict = verdict_of([BROKEN, PASSED], SOUND, [LATE])
    assert verdict.code is ExitCode.SLO_FAILED
    assert LATE in verdict.reasons
    assert any("violations = 0" in reason for reason in verdict.reasons)


@pytest.mark.parametrize(
    ("policy", "code"),
    [("inconclusive", ExitCode.INCONCLUSIVE), ("pass", ExitCode.PASS), ("fail", ExitCode.SLO_FAILED)],
)
def test_open_gates_count_as_asked(policy: Literal["inconclusive", "pass", "fail"], code: ExitCode) -> None:
    verdict = verdict_of([PASSED, OPEN], SOUND, inconclusive=policy)
    assert verdict.code is code
    assert any(reason.startswith("errors <= 1%: ") for reason in verdict.reasons)


def test_an_unbalanced_ledger_is_named() -> None:
    assert "11 tasks started, 10 were booked" in verdict_of([PASSED], LOST).reasons[0]


def test_the_codes_are_those_of_the_design() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "PASS": 0,
        "SLO_FAILED": 1,
        "USAGE": 2,
        "INCONCLUSIVE": 3,
        "INVALID": 4,
        "UNREACHABLE": 5,
        "HUNG_UP": 129,
        "INTERRUPTED": 130,
        "TERMINATED": 143,
    }
