from __future__ import annotations

import random

import pytest

from sendpoll.load.trend.change_points import change_points


def noisy(seed: int, *levels: tuple[int, float], noise: float = 0.04) -> list[float]:
    source = random.Random(seed)
    return [level * source.lognormvariate(0, noise) for count, level in levels for _ in range(count)]


@pytest.mark.parametrize("seed", range(10))
def test_a_level_that_rose_is_found_where_it_did(seed: int) -> None:
    (change,) = change_points(noisy(seed, (12, 1.0), (8, 1.3)), 0.05)
    assert abs(change.place - 12) <= 1
    assert change.ratio == pytest.approx(1.3, rel=0.1)


def test_two_changes_are_found_and_each_has_its_own_neighbours() -> None:
    changes = change_points(noisy(1, (12, 1.0), (12, 1.5), (12, 1.2)), 0.05)
    assert [round(change.place, -1) for change in changes] == [10, 20]
    assert changes[1].before == pytest.approx(1.5, rel=0.05)
    assert changes[1].after == pytest.approx(1.2, rel=0.05)


def test_a_steady_series_seldom_shows_one() -> None:
    shown = [bool(change_points(noisy(seed, (30, 1.0), noise=0.1), 0.05)) for seed in range(100)]
    assert sum(shown) <= 3


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [1.0, 1.0, 1.0, 2.0, 2.0],
        [1.0] * 40,
        [1.0, 5.0] * 20,
        [*[1.0] * 20, 9.0, *[1.0] * 20],
        [*[1.0] * 20, *[1.03] * 20],
        [0.0] * 30,
    ],
)
def test_what_is_no_change_of_level_is_none(values: list[float]) -> None:
    assert change_points(values, 0.05) == []


def test_a_change_from_nothing_has_no_ratio() -> None:
    (change,) = change_points([0.0] * 10 + [1.0] * 10, 0.05)
    assert (change.place, change.ratio) == (10, None)
