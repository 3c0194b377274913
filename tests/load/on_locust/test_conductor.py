"""The conductor holds what is ordered and ends without losing a task; Locust and the clock are imitated."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from sendpoll.load.engine import Cohort, Order, View
from sendpoll.load.measure.health import Health
from sendpoll.load.measure.metrics import Metrics
from tests.load.patchless import imported

module = imported("on_locust.conductor")

if TYPE_CHECKING:
    from sendpoll.load.on_locust.conductor import Conductor


@dataclass
class FakeRunner:
    user_count: int = 0


@dataclass
class FakeCollector:
    metrics: Metrics = field(default_factory=Metrics)
    health: dict[int, Health] = field(default_factory=dict)
    problems: Sequence[str] = ()
    samples: Sequence[Mapping[str, object]] = ()
    answered: int = 1
    unconnected: str = ""
    settled: bool = True
    orders: list[Order] = field(default_factory=list)

    def begin(self) -> None: ...

    def obey(self, order: Order) -> None:
        self.orders.append(order)

    def collect(self, users: int) -> None: ...

    def cohorts(self) -> dict[int, Cohort]:
        return {}

    def is_settled(self) -> bool:
        return self.settled


class Script:
    """A controller that says what it is told to say, its last word over and over."""

    def __init__(self, *orders: Order | Exception | None) -> None:
        self.orders = list(orders)
        self.views: list[View] = []

    def decide(self, view: View) -> Order | None:
        self.views.append(view)
        said = self.orders[0] if len(self.orders) == 1 else self.orders.pop(0)
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture(name="clock")
def _clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("sendpoll.load.on_locust.conductor.time.perf_counter", lambda: now[0])
    return now


class Stage:
    """A conductor with imitations around it; `tick` is a second."""

    def __init__(self, clock: list[float], *orders: Order | Exception | None) -> None:
        self.clock = clock
        self.collector = FakeCollector()
        self.script = Script(*orders)
        self.runner = FakeRunner()
        self.conductor: Conductor = module.Conductor(self.script, self.collector, None, patience=30.0)
        self.conductor.runner = self.runner

    def tick(self, users: int | None = None) -> tuple[int, float] | None:
        if users is not None:
            self.runner.user_count = users
        self.clock[0] += 1
        return self.conductor.tick()


def test_an_order_is_passed_on_once_and_held(clock: list[float]) -> None:
    stage = Stage(clock, Order(10, step=1))
    assert stage.tick() == (10, 10.0)
    assert stage.tick(10) == (10, 10.0)
    assert stage.collector.orders == [Order(10, step=1)]
    assert stage.script.views[-1].users == 10


def test_many_users_come_in_portions(clock: list[float]) -> None:
    assert Stage(clock, Order(2000)).tick() == (2000, 500.0)


def test_users_are_told_to_stop_all_at_once(clock: list[float]) -> None:
    stage = Stage(clock, Order(2000), None)
    stage.tick()
    assert stage.tick(2000) == (0, 2000.0)


def test_the_end_waits_for_the_last_task_and_its_report(clock: list[float]) -> None:
    stage = Stage(clock, Order(10), None)
    stage.tick()
    assert stage.tick(10) == (0, 10.0)
    stage.collector.settled = False
    stage.tick(3)
    stage.tick(0)
    assert not stage.conductor.done.is_set()
    stage.collector.settled = True
    stage.tick(0)
    assert stage.conductor.done.is_set()
    assert stage.collector.orders == [Order(10), Order(0, step=1)]


def test_the_end_does_not_wait_for_ever(clock: list[float]) -> None:
    stage = Stage(clock, None)
    stage.collector.settled = False
    for _ in range(50):
        stage.tick(1)
    assert stage.conductor.done.is_set()


def test_an_interruption_drains(clock: list[float]) -> None:
    stage = Stage(clock, Order(10))
    stage.tick()
    stage.conductor.interrupt(signal.SIGTERM)
    assert stage.tick(10) == (0, 10.0)
    stage.tick(0)
    assert stage.conductor.done.is_set()
    assert stage.conductor.cut_by == signal.SIGTERM


def test_a_server_that_nobody_finds_ends_the_run_early(clock: list[float]) -> None:
    stage = Stage(clock, Order(10))
    stage.collector.answered, stage.collector.unconnected = 0, "cannot connect"
    for _ in range(7):
        stage.tick(0)
    assert stage.conductor.unreachable == "cannot connect"
    assert stage.conductor.done.is_set()


def test_a_server_that_went_away_later_is_not_unreachable(clock: list[float]) -> None:
    stage = Stage(clock, Order(10))
    stage.collector.unconnected = "cannot connect"
    for _ in range(7):
        stage.tick(10)
    assert stage.conductor.unreachable is None


def test_a_controller_that_fails_drains_the_run_and_is_heard(clock: list[float]) -> None:
    stage = Stage(clock, Order(10), ZeroDivisionError("oops"))
    stage.tick()
    assert stage.tick(10) == (0, 10.0)
    assert not stage.conductor.done.is_set()
    stage.tick(0)
    assert stage.conductor.done.is_set()
    (problem,) = stage.conductor.problems
    assert problem.startswith("the generator broke, not the server: ZeroDivisionError at test_conductor.py:")
    assert stage.conductor.failure is None


def test_a_conductor_that_breaks_itself_ends_the_run(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(clock, Order(10))
    monkeypatch.setattr(stage.collector, "cohorts", lambda: 1 / 0)
    assert stage.tick() == (0, 1.0)
    assert stage.conductor.done.is_set()
    assert isinstance(stage.conductor.failure, ZeroDivisionError)


def test_locust_is_asked_again_where_users_stay_missing(clock: list[float]) -> None:
    """A rise that was ordered while users of a fall still finished is counted wrongly by Locust."""
    stage = Stage(clock, Order(10))
    asked = {stage.tick(4) for _ in range(20)}
    assert len(asked) > 1
    assert {users for users, _ in filter(None, asked)} == {10}


def test_locust_is_left_alone_while_users_of_a_fall_finish(clock: list[float]) -> None:
    stage = Stage(clock, Order(10), Order(3))
    stage.tick()
    assert {stage.tick(8) for _ in range(20)} == {(3, 7.0)}
