"""How many users there are when."""

from __future__ import annotations

import pytest

from sendpoll.load.engine import Order, View
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.scenario.scenario import Shape
from sendpoll.load.shapes import ShapeController, users_at

RAMP = Shape(kind="ramp", users=21, duration_s=100, from_users=1, ramp_s=40)


def view(elapsed: float) -> View:
    return View(elapsed=elapsed, users=0, records=(), cohorts={}, health={}, metrics=Metrics(), problems=())


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Shape(kind="steady", users=9, duration_s=100), {0: 9, 50: 9, 99: 9}),
        (RAMP, {0: 1, 20: 11, 40: 21, 99: 21}),
        (Shape(kind="soak", users=21, duration_s=100, from_users=1, ramp_s=40), {0: 1, 20: 11, 99: 21}),
        (Shape(kind="soak", users=3, duration_s=100), {0: 3, 99: 3}),
        (
            Shape(kind="step", users=10, duration_s=100, from_users=4, step_users=4, every_s=20),
            {0: 4, 19: 4, 20: 8, 40: 10, 99: 10},
        ),
        (
            Shape(kind="spike", users=30, duration_s=100, from_users=3, at_s=20, for_s=10),
            {0: 3, 19.9: 3, 20: 30, 29.9: 30, 30: 3, 99: 3},
        ),
    ],
    ids=["steady", "ramp", "soak", "soak without a ramp", "step", "spike"],
)
def test_users_over_time(shape: Shape, expected: dict[float, int]) -> None:
    assert {moment: users_at(shape, moment) for moment in expected} == expected


def test_a_shape_ends_with_its_duration() -> None:
    controller = ShapeController(RAMP, start_spread_s=10)
    assert controller.decide(view(99.9)) == Order(21)
    assert controller.decide(view(100.0)) is None


def test_arrivals_begin_when_the_pool_stands_ready_and_last_for_the_duration() -> None:
    controller = ShapeController(Shape(kind="arrivals", users=50, duration_s=30, rate=3.0), start_spread_s=4)
    assert controller.decide(view(0)) == Order(50, arrivals=0.0)
    assert controller.decide(view(4.9)) == Order(50, arrivals=0.0)
    assert controller.decide(view(5)) == Order(50, arrivals=3.0)
    assert controller.decide(view(34.9)) == Order(50, arrivals=3.0)
    assert controller.decide(view(35)) is None
