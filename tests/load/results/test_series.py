"""The course of a run: each column is what was counted in its point, over the seconds of the point."""

from __future__ import annotations

import pytest

from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.records import Outcome
from sendpoll.load.results.series import POINTS, course, dense
from tests.load.made_up import broken_offset, record


def ran(seconds: int) -> Metrics:
    """Each second: three good tasks, one that failed, one that was left, an arrival that found nobody, and traffic."""
    metrics = Metrics()
    for second in range(1, seconds + 1):
        for _ in range(5):
            metrics.started()
        for outcome in (*[Outcome.FINISHED] * 3, Outcome.FAILED, Outcome.ABANDONED, Outcome.DROPPED):
            metrics.task(record(outcome=outcome, error="503" if outcome is Outcome.FAILED else ""))
        for empty in (True, False, False, False):
            metrics.poll(0.01, 0.01, 4, empty, 0 if empty else 2, 100)
        metrics.error("GET task: 503")
        metrics.refusal("POST messages: 429 (too many requests)")
        metrics.violation(broken_offset())
        metrics.tick(second, 7)
    return metrics


@pytest.mark.parametrize("seconds", [1, 3, 2 * POINTS])
def test_a_point_tells_rates_and_shares_of_its_own_seconds(seconds: int) -> None:
    made = course(ran(seconds))
    width, columns = made["seconds_per_point"], made["columns"]
    points = len(columns["t"])
    assert points * width == seconds
    assert columns["t"] == [place * width + width / 2 for place in range(points)]
    expected = {
        "users": 7,
        "started": 5,
        "goodput": 3,
        "bad": 2,
        "polls": 4,
        "empty_share": 0.25,
        "errors": 2,
        "violations": width,
        "ttfe_p50": 0.8,
        "task_p95": 4,
        "poll_p99": 0.01,
    }
    for name, value in expected.items():
        assert columns[name] == pytest.approx([value] * points, rel=0.02), name
    assert columns["lag_p99"] == [None] * points


def test_a_second_that_nobody_closed_is_a_gap() -> None:
    metrics = Metrics()
    for second in (1, 2, 5):
        metrics.tick(second, 1)
    assert [window is not None for window in dense(metrics.series)] == [True, True, False, False, True]
    assert course(metrics)["columns"]["t"] == [0.5, 1.5, 4.5]


def test_a_run_of_no_second_has_no_course() -> None:
    assert course(Metrics()) == {"seconds_per_point": 0, "columns": {}}
    assert dense([]) == []
