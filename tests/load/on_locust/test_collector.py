"""What workers report adds up, and a worker that is gone or late is noticed."""

from __future__ import annotations

from typing import Any

import pytest

from sendpoll.load.engine import Cohort, Order
from sendpoll.load.measure.health import Health
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.on_locust.collector import LATE_REPORT_S, WorkerCollector
from sendpoll.load.scenario.scenario_file import load_scenario

SCENARIO = load_scenario("smoke")


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("sendpoll.load.on_locust.collector.time.perf_counter", lambda: now[0])
    return now


@pytest.fixture(name="collector")
def _collector(clock: list[float]) -> WorkerCollector:
    collector = WorkerCollector(SCENARIO)
    collector.joined("a", "1 (host:1)")
    collector.joined("b", "2 (host:2)")
    collector.begin()
    clock[0] += 1
    return collector


def report(
    started: dict[int, int], ended: dict[int, int], step: int = 0, tasks: int = 0, crashes: dict[str, int] | None = None
) -> dict[str, Any]:
    metrics = Metrics(SCENARIO.service_level)
    for _ in range(tasks):
        metrics.started()
        metrics.task(TaskRecord(user=1, scheduled_at=0, sent_at=0, ended_at=1, outcome=Outcome.FINISHED))
    metrics.tick(1, 1)
    return {
        "metrics": metrics.delta(),
        "health": {step: Health().to_message()},
        "started": started,
        "moved": ended,
        "ended": ended,
        "step": step,
        "answered": 1,
        "unconnected": "",
        "samples": {},
        "crashes": dict(crashes or {}),
        "connections": {"127.0.0.2:1": 2},
    }


def test_reports_add_up(collector: WorkerCollector) -> None:
    collector.reported("a", report({0: 2}, {0: 2}, tasks=2), users=1)
    collector.reported("b", report({0: 3}, {0: 3}, tasks=3), users=1)
    assert collector.cohorts() == {0: Cohort(5, 5, 5)}
    assert len(collector.metrics.take_records()) == 5
    assert collector.metrics.ledger.started == 5
    assert collector.answered == 2


def test_a_cohort_is_closed_when_every_worker_has_left_the_step(collector: WorkerCollector) -> None:
    collector.reported("a", report({0: 2}, {0: 2}, step=1), users=1)
    collector.reported("b", report({0: 3}, {0: 1}), users=1)
    assert not collector.cohorts()[0].closed
    collector.reported("b", report({0: 3}, {0: 2}, step=1), users=1)
    assert collector.cohorts()[0] == Cohort(5, 4, 4, closed=True)
    assert not collector.cohorts()[0].complete
    collector.reported("b", report({0: 3, 1: 1}, {0: 3}, step=1), users=1)
    assert collector.cohorts()[0].complete


def test_a_run_is_settled_when_every_worker_has_reported_after_its_last_user(
    collector: WorkerCollector, clock: list[float]
) -> None:
    for name in "ab":
        collector.reported(name, report({0: 1}, {0: 1}), users=0)
    assert not collector.is_settled()
    clock[0] += 1
    collector.obey(Order(0, 1))
    assert not collector.is_settled()
    clock[0] += 1
    collector.reported("a", report({0: 1}, {0: 1}), users=0)
    assert not collector.is_settled()
    collector.reported("b", report({0: 2}, {0: 1}), users=0)
    assert not collector.is_settled()
    collector.reported("b", report({0: 2}, {0: 2}), users=0)
    assert collector.is_settled()


def test_a_lost_worker_is_named_and_waited_for_no_longer(collector: WorkerCollector, clock: list[float]) -> None:
    collector.reported("b", report({0: 4}, {0: 1}), users=3)
    clock[0] += 5
    collector.lost("b", "(process 2) ended with code -9")
    collector.lost("b", "stopped answering")
    (problem,) = collector.problems
    assert "2 (host:2)" in problem
    assert "code -9" in problem
    assert "3 of its tasks" in problem
    collector.obey(Order(0, 1))
    clock[0] += 1
    collector.reported("a", report({0: 1}, {0: 1}, step=1), users=0)
    assert collector.is_settled()
    assert collector.cohorts()[0] == Cohort(5, 2, 2, closed=True)


def test_what_a_lost_worker_says_later_is_passed_over(collector: WorkerCollector) -> None:
    collector.lost("b", "left")
    collector.reported("b", report({0: 4}, {0: 4}, tasks=4), users=0)
    assert collector.metrics.take_records() == []


@pytest.mark.parametrize("noticed_by", ["tick", "report"])
def test_a_worker_that_was_silent_for_long_makes_the_run_invalid(
    collector: WorkerCollector, clock: list[float], noticed_by: str
) -> None:
    clock[0] += LATE_REPORT_S + 1
    collector.reported("a", report({}, {}), users=0)
    if noticed_by == "tick":
        collector.collect(0)
    collector.reported("b", report({}, {}), users=0)
    collector.collect(0)
    assert [problem[:8] for problem in collector.problems] == ["worker 1", "worker 2"]


def test_what_broke_in_the_workers_is_counted_once_for_all_of_them(collector: WorkerCollector) -> None:
    collector.reported("a", report({}, {}, crashes={"KeyError": 1}), users=0)
    collector.reported("a", report({}, {}, crashes={"KeyError": 2}), users=0)
    collector.reported("b", report({}, {}, crashes={"KeyError": 1}), users=0)
    assert collector.problems == ("the generator broke 3 times, not the server: KeyError",)


def test_orders_are_passed_on(collector: WorkerCollector) -> None:
    passed: list[Order] = []
    collector.on_order = passed.append
    collector.obey(Order(5, 1))
    assert passed == [Order(5, 1)]
