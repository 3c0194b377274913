from __future__ import annotations

import itertools
import math
import random

import pytest

from sendpoll.load.plan.posterior import Seen, draws


def shares(seen: list[Seen], place: int) -> list[float]:
    """What is possible of the share at a level, in order."""
    return sorted(1 / (1 + math.exp(-course[place])) for course in draws(seen, 600, random.Random(1)))


def test_every_course_falls() -> None:
    seen = [Seen(1, 3, 0), Seen(8, 20, 2), Seen(16, 90, 1), Seen(32, 10, 40)]
    for course in draws(seen, 200, random.Random(2)):
        assert len(course) == 4
        assert all(one >= other for one, other in itertools.pairwise(course))


def test_many_samples_settle_the_share_that_was_seen() -> None:
    found = shares([Seen(10, 900, 100)], 0)
    assert found[300] == pytest.approx(0.9, abs=0.01)
    assert found[15] > 0.87
    assert found[-15] < 0.93


def test_a_level_is_at_least_as_good_as_a_higher_one_was() -> None:
    alone = shares([Seen(4, 4, 0)], 0)
    helped = shares([Seen(4, 4, 0), Seen(16, 300, 3)], 0)
    assert helped[15] > 0.97 > alone[15]


def test_few_samples_at_a_low_level_do_not_drag_a_higher_one_down() -> None:
    found = shares([Seen(1, 2, 1), Seen(16, 300, 3)], 1)
    assert found[300] == pytest.approx(0.99, abs=0.005)


def test_the_same_seed_draws_the_same_courses() -> None:
    seen = [Seen(1, 3, 0), Seen(8, 20, 2)]
    assert draws(seen, 20, random.Random(5)) == draws(seen, 20, random.Random(5))


def test_levels_next_to_each_other_and_extreme_counts_are_borne() -> None:
    seen = [Seen(200, 5000, 0), Seen(201, 4000, 1000), Seen(202, 0, 9000)]
    assert len(draws(seen, 50, random.Random(3))) == 50
