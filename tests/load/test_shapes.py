"""When users and arrivals are ordered, and when it ends."""

from __future__ import annotations

from sendpoll.load.engine import Order, View
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.scenario.shape import PoissonArrivals, Ramp
from sendpoll.load.shapes import ShapeController

RAMP = Ramp(users=21, duration_s=100, from_users=1, ramp_s=40)


def view(elapsed: float) -> View:
    return View(elapsed=elapsed, users=0, records=(), cohorts={}, health={}, metrics=Metrics(), problems=())


def test_a_shape_ends_with_its_duration() -> None:
    controller = ShapeController(RAMP, start_spread_s=10)
    assert controller.decide(view(99.9)) == Order(21)
    assert controller.decide(view(100.0)) is None


def test_arrivals_begin_when_the_pool_stands_ready_and_last_for_the_duration() -> None:
    controller = ShapeController(PoissonArrivals(users=50, duration_s=30, rate=3.0), start_spread_s=4)
    assert controller.decide(view(0)) == Order(50, arrivals=0.0)
    assert controller.decide(view(4.9)) == Order(50, arrivals=0.0)
    assert controller.decide(view(5)) == Order(50, arrivals=3.0)
    assert controller.decide(view(34.9)) == Order(50, arrivals=3.0)
    assert controller.decide(view(35)) is None
