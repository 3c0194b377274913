from __future__ import annotations

import itertools
import math
import random

import pytest

from sendpoll.load.plan.capacity import Capacity, lowest
from sendpoll.load.plan.estimate import capacity, crossing, falling, log_odds
from sendpoll.load.plan.tallies import Point


def test_falling_leaves_a_falling_sequence_alone() -> None:
    assert falling([0.9, 0.8, 0.5], [1, 1, 1]) == [0.9, 0.8, 0.5]


def test_falling_pools_neighbours_that_rise_by_their_weights() -> None:
    assert falling([1.0, 0.8, 0.9, 0.5], [1, 3, 1, 1]) == pytest.approx([1.0, 0.825, 0.825, 0.5])


@pytest.mark.parametrize("seed", range(20))
def test_falling_never_rises_and_keeps_the_mean(seed: int) -> None:
    rng = random.Random(seed)
    values = [rng.random() for _ in range(12)]
    weights = [rng.uniform(0.1, 5) for _ in range(12)]
    fitted = falling(values, weights)
    assert all(one >= other for one, other in itertools.pairwise(fitted))
    assert sum(v * w for v, w in zip(fitted, weights, strict=True)) == pytest.approx(
        sum(v * w for v, w in zip(values, weights, strict=True))
    )


def test_crossing_lies_between_the_two_levels_around_the_target() -> None:
    found = crossing([10, 20, 40], [log_odds(share) for share in (0.99, 0.97, 0.6)], log_odds(0.95))
    assert found is not None
    assert 20 < found < 40


@pytest.mark.parametrize(("shares", "expected"), [([0.9, 0.5], 0.0), ([0.99, 0.98], None)])
def test_a_crossing_outside_of_the_levels_is_none(shares: list[float], expected: float | None) -> None:
    assert crossing([10, 20], [log_odds(share) for share in shares], log_odds(0.95)) == expected


def test_without_a_bad_sample_nothing_bounds_the_capacity() -> None:
    assert capacity([Point(8, 200, 200, 1.0), Point(16, 300, 300, 1.0)], 0.95) == Capacity(None, 16, None)


def test_levels_far_apart_give_a_wide_interval_however_many_samples_there_are() -> None:
    far = capacity([Point(32, 99_000, 100_000, 1.0, 9), Point(64, 20_000, 100_000, 1.0, 9)], 0.95)
    near = capacity([Point(46, 97_000, 100_000, 1.0, 9), Point(50, 92_000, 100_000, 1.0, 9)], 0.95)
    assert far.ratio > 1.3
    assert near.ratio < 1.15


def test_correlation_widens_the_interval() -> None:
    def ratio(effect: float) -> float:
        points = [Point(40, 490, 500, effect, 9), Point(44, 475, 500, effect, 9), Point(48, 440, 500, effect, 9)]
        return capacity(points, 0.95).ratio

    assert ratio(10.0) > 1.1 * ratio(1.0)


def test_the_answer_lies_within_its_interval() -> None:
    found = capacity([Point(4, 40, 40, 2.0), Point(8, 70, 80, 2.0), Point(16, 2, 90, 2.0)], 0.95)
    assert found.level is not None
    assert found.high is not None
    assert found.low <= found.level <= found.high


def test_the_capacity_under_several_objectives_is_the_lowest_of_theirs() -> None:
    assert lowest([Capacity(50, 45, 56), Capacity(None, 40, None)]) == Capacity(50, 40, 56)
    assert lowest([Capacity(None, 40, None)]) == Capacity(None, 40, None)
    assert math.isinf(lowest([Capacity(None, 40, None)]).ratio)


def test_short_holds_of_low_levels_do_not_cast_doubt_on_them() -> None:
    """Five good tasks prove nothing by themselves; eighty good ones at six times the load do."""
    found = capacity([Point(1, 5, 5, 1.0), Point(4, 37, 37, 4.0), Point(6, 81, 81, 4.0), Point(8, 60, 81, 4.0)], 0.95)
    assert found.low > 1


def test_a_few_bad_tasks_at_a_low_level_do_not_end_the_interval_at_nothing() -> None:
    """One of 24 at one user: by itself no proof of 95 %, but a server is no worse at one user than at eleven."""
    counts = [(1, 23, 24), (4, 10, 10), (8, 79, 80), (11, 78, 80), (13, 154, 162), (14, 79, 160)]
    assert capacity([Point(level, good, total, 2.5) for level, good, total in counts], 0.95).low > 4


@pytest.mark.parametrize("steepness", [2.0, 10.0, 40.0])
def test_nine_of_ten_intervals_cover_the_crossing_of_a_known_curve(steepness: float) -> None:
    rng = random.Random(7)
    covered = []
    for _ in range(40):
        truth = rng.uniform(20, 60)
        points = []
        for level in (1, 4, 16, 32, 40, 50, 64, 128):
            odds = log_odds(0.95) - steepness * math.log(level / truth)
            total = 40 if level in {1, 4, 128} else 200
            good = sum(rng.random() < 1 / (1 + math.exp(-odds)) for _ in range(total))
            points.append(Point(level, good, total, 1.0))
        found = capacity(points, 0.95)
        covered.append(found.low <= truth <= (found.high or math.inf))
    assert sum(covered) >= 0.9 * len(covered)
