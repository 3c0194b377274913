"""A user sleeps until a moment, and can be stopped meanwhile."""

from __future__ import annotations

import time

import gevent

from sendpoll.load.users.pause import pause_until


def test_it_sleeps_until_the_moment() -> None:
    moment = time.perf_counter() + 0.02
    pause_until(moment)
    assert time.perf_counter() >= moment


def test_a_moment_that_has_passed_costs_nothing() -> None:
    slept: list[int] = []
    other = gevent.spawn(lambda: slept.append(1))
    pause_until(time.perf_counter() - 1)
    assert slept == []
    other.join()


def test_a_sleeper_can_be_stopped() -> None:
    sleeper = gevent.spawn(pause_until, time.perf_counter() + 60)
    gevent.sleep(0)
    sleeper.kill(timeout=10)
    assert sleeper.dead
