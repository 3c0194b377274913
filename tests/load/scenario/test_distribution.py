from __future__ import annotations

import random

import pytest

from sendpoll.load.scenario.distribution import (
    Distribution,
    Exponential,
    Fixed,
    LogNormal,
    Uniform,
    distribution_of,
)

ALL: list[Distribution] = [Fixed(2.0), Exponential(2.0), Uniform(1.0, 3.0), LogNormal(2.0, 0.5)]


@pytest.mark.parametrize("waited", ALL, ids=repr)
def test_the_mean_of_many_draws_is_the_mean(waited: Distribution) -> None:
    source = random.Random(3)
    draws = [waited.draw(source) for _ in range(20_000)]
    assert min(draws) >= 0
    assert sum(draws) / len(draws) == pytest.approx(waited.mean, rel=0.03)


@pytest.mark.parametrize("waited", ALL, ids=repr)
def test_a_distribution_reads_back_as_it_was_written(waited: Distribution) -> None:
    assert distribution_of(waited.as_json()) == waited


@pytest.mark.parametrize("waited", [Fixed(0.0), Exponential(0.0), Uniform(0.0, 0.0), LogNormal(0.0, 0.5)], ids=repr)
def test_no_wait_is_no_wait(waited: Distribution) -> None:
    assert waited.draw(random.Random(1)) == 0.0


def test_the_same_seed_draws_the_same() -> None:
    one, other = ([waited.draw(random.Random(9)) for waited in ALL] for _ in range(2))
    assert one == other
