"""Arrivals come at random times of their own, whoever is free."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Iterator

import gevent
import pytest

from sendpoll.load.users.arrivals import Arrivals


@pytest.fixture(name="dropped")
def _dropped() -> list[float]:
    return []


@pytest.fixture(name="arrivals")
def _arrivals(dropped: list[float]) -> Iterator[Arrivals]:
    arrivals = Arrivals(random.Random(1), dropped.append)
    yield arrivals
    arrivals.stop()


@pytest.mark.usefixtures("arrivals")
def test_nothing_arrives_before_a_rate_is_set(dropped: list[float]) -> None:
    gevent.sleep(0.05)
    assert dropped == []


def test_an_arrival_that_finds_nobody_is_dropped_with_its_time(arrivals: Arrivals, dropped: list[float]) -> None:
    began = time.perf_counter()
    arrivals.set_rate(500.0)
    gevent.sleep(0.2)
    arrivals.set_rate(0.0)
    gevent.sleep(0)
    ended = time.perf_counter()
    assert dropped
    assert dropped == sorted(dropped)
    assert all(began <= due <= ended for due in dropped)
    count = len(dropped)
    gevent.sleep(0.05)
    assert len(dropped) == count


def test_users_take_arrivals_in_the_order_in_which_they_came(arrivals: Arrivals) -> None:
    users = [gevent.spawn(arrivals.take) for _ in range(5)]
    gevent.sleep(0)
    arrivals.set_rate(200.0)
    taken = [user.get(timeout=10) for user in users]
    assert taken == sorted(taken)
    assert len(set(taken)) == 5


def test_the_gaps_are_exponential() -> None:
    """Mean and standard deviation of an exponential distribution are one."""
    dropped: list[float] = []
    arrivals = Arrivals(random.Random(2), dropped.append)
    arrivals.set_rate(20_000.0)
    while len(dropped) < 4000:
        gevent.sleep(0.01)
    arrivals.stop()
    gaps = [later - earlier for earlier, later in itertools.pairwise(dropped)][:3999]
    mean = sum(gaps) / len(gaps)
    deviation = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert mean == pytest.approx(1 / 20_000, rel=0.1)
    assert deviation == pytest.approx(mean, rel=0.1)


def test_a_user_that_is_stopped_while_it_waits_takes_no_arrival(arrivals: Arrivals) -> None:
    gone = gevent.spawn(arrivals.take)
    gevent.sleep(0)
    gone.kill()
    stays = gevent.spawn(arrivals.take)
    gevent.sleep(0)
    arrivals.set_rate(100.0)
    assert stays.get(timeout=10) > 0
