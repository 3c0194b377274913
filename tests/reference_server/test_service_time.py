from __future__ import annotations

import math
import statistics

import pytest

from sendpoll.reference_server.agents.service_time import DISTRIBUTIONS, service_times
from sendpoll.reference_server.settings import SERVICE_TIMES

VARIATION = {"fixed": 0.0, "exponential": 1.0, "lognormal": math.sqrt(math.e - 1)}


def test_the_settings_offer_every_distribution() -> None:
    assert tuple(DISTRIBUTIONS) == SERVICE_TIMES


@pytest.mark.parametrize("name", SERVICE_TIMES)
def test_mean_and_variation_are_as_declared(name: str) -> None:
    draw = service_times(name, mean=2.0, seed=1)
    sample = [draw() for _ in range(40_000)]
    assert statistics.fmean(sample) == pytest.approx(2.0, rel=0.05)
    assert statistics.pstdev(sample) / 2.0 == pytest.approx(VARIATION[name], rel=0.1)


@pytest.mark.parametrize("name", SERVICE_TIMES)
def test_a_seed_gives_the_same_times_again(name: str) -> None:
    one, again = service_times(name, 2.0, seed=7), service_times(name, 2.0, seed=7)
    assert [one() for _ in range(100)] == [again() for _ in range(100)]


def test_another_seed_gives_other_times() -> None:
    assert service_times("exponential", 2.0, seed=1)() != service_times("exponential", 2.0, seed=2)()
