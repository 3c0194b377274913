from __future__ import annotations

from dataclasses import replace

import pytest

from sendpoll.load.plan.changes import greatest_change
from sendpoll.load.plan.outcome import End
from tests.load.plan.servers import planned
from tests.load.plan.virtual import Server, exponential, fixed


@pytest.mark.parametrize("seed", range(5))
def test_a_cold_start_is_no_overload(seed: int) -> None:
    """The first tasks take ten times as long as all others."""
    warm = planned(Server(4, fixed(0.6), exponential(2)), ["task p95 <= 2.25s"], seed)
    cold = planned(Server(4, fixed(0.6), exponential(2), cold_s=15), ["task p95 <= 2.25s"], seed)
    assert cold.conclusion.end is not End.SLO_UNREACHABLE
    assert cold.level == pytest.approx(warm.level, rel=0.2)


def test_a_server_that_is_never_quick_enough_is_told_so() -> None:
    plan = planned(Server(4, fixed(3), exponential(2)), ["task p95 <= 2.25s"])
    assert plan.conclusion.end is End.SLO_UNREACHABLE
    assert not plan.conclusion.warmed_up


@pytest.mark.parametrize("seed", range(5))
def test_a_server_that_stays_the_same_is_not_said_to_change(seed: int) -> None:
    assert (
        greatest_change(planned(Server(4, exponential(0.6), exponential(2)), ["task p95 <= 2.75s"], seed).book) is None
    )


def test_a_level_that_was_bad_and_then_good_tells_that_the_server_changed() -> None:
    plan = planned(Server(4, exponential(0.6), exponential(2)), ["task p95 <= 2.75s"])
    step = next(one for one in plan.book.steps if one.started > 100)
    slow = tuple(replace(record, ended_at=record.scheduled_at + 5) for record in step.records)
    plan.book.add(replace(step, records=slow, settled_at=step.settled_at + 500, closed_at=step.closed_at + 500))
    change = greatest_change(plan.book)
    assert change is not None
    assert change.level == step.level
    assert "got worse by itself" in change.sentence("users")
