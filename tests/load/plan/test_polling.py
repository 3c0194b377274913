from __future__ import annotations

import pytest

from sendpoll.load.plan.polling import Slope, poll_cost, quantile, slope_at
from sendpoll.load.plan.steps import Hold, Purpose, Step
from sendpoll.load.plan.tallies import Point, Tally
from tests.load.made_up import record

HOLD = Hold(50, Purpose.POLLS, 30, 1, 30, 10, 20)
STEP = Step(0, HOLD, 0.0, 30.0, 40.0, tuple(record(polls=16, empty_polls=12) for _ in range(100)))


def test_the_slope_is_how_fast_attainment_falls_around_the_answer() -> None:
    found = slope_at([Point(45, 980, 1000, 1.0), Point(50, 950, 1000, 1.0), Point(55, 880, 1000, 1.0)], 0.95, 50)
    assert found is not None
    assert found.steepness > 0


@pytest.mark.parametrize("points", [[], [Point(50, 95, 100, 1.0)], [Point(45, 90, 100, 1.0), Point(55, 99, 100, 1.0)]])
def test_without_two_levels_that_fall_there_is_no_slope(points: list[Point]) -> None:
    assert slope_at(points, 0.95, 50) is None


def test_capacity_moves_with_the_share_that_was_met() -> None:
    slope = Slope(50, 0.95, 10.0)
    better, same, worse = (poll_cost(0.5, STEP, Tally(good, 1000), 1.0, slope).capacity for good in (980, 950, 900))
    assert better is not None
    assert same is not None
    assert worse is not None
    assert better > same > worse
    assert same == pytest.approx(50, rel=0.02)


def test_the_share_of_empty_polls_is_told_and_no_capacity_without_a_slope() -> None:
    cost = poll_cost(0.25, STEP, Tally(95, 100), 2.0, None)
    assert cost.empty_share == pytest.approx(0.75)
    assert cost.polls_per_task == pytest.approx(16)
    assert cost.low < cost.attainment < cost.high
    assert cost.capacity is None


def test_a_quantile_is_a_value_that_was_seen() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert quantile([], 0.5) is None
