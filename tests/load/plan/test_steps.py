"""What a step counts a second: started while it was open, finished until its last task had ended."""

from __future__ import annotations

import pytest

from sendpoll.load.measure.records import Outcome
from sendpoll.load.plan.steps import Hold, Purpose, Step
from tests.load.made_up import record

HOLD = Hold(level=12, purpose=Purpose.LADDER, seconds=10, tasks=5, limit_s=60, settle_s=2, settle_limit_s=20)
RECORDS = (
    record(polls=9),
    record(polls=9, follow_up=True),
    record(polls=4, outcome=Outcome.FAILED, error="GET task: 503"),
)


def step(ended_at: float = 25.0, closed_at: float = 15.0) -> Step:
    return Step(1, HOLD, 5.0, closed_at, ended_at, RECORDS, unfinished=2)


def test_what_a_step_counts_a_second() -> None:
    assert (step().level, step().started, step().seconds) == (12, 5, 10.0)
    assert step().throughput == pytest.approx(5 / 10)
    assert step().rounds_per_second == pytest.approx(4 / 10)
    assert step().served == pytest.approx(2 / 20)
    assert step().requests_per_second == pytest.approx((10 + 10 + 5) / 10)


def test_a_step_that_never_opened_counts_nothing() -> None:
    never = step(ended_at=5.0, closed_at=5.0)
    assert (never.throughput, never.rounds_per_second, never.served, never.requests_per_second) == (0, 0, 0, 0)
