"""A user sleeps until a moment, and can be stopped meanwhile."""

from __future__ import annotations

import time

import gevent
import pytest

from sendpoll.load.users.pause import pause_until
from sendpoll.load.users.probe import LagProbe, ProcessProbe


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


def test_a_loop_that_was_blocked_counts_for_every_moment_that_it_missed() -> None:
    lags: list[float] = []
    probe = LagProbe(lags.append)
    gevent.sleep(0.06)
    time.sleep(0.32)  # nobody can be woken meanwhile
    gevent.sleep(0.06)
    probe.stop()
    late = sorted((lag for lag in lags if lag > 0.04), reverse=True)
    assert len(late) >= 4
    assert late[0] - late[1] == pytest.approx(0.05, abs=0.01)


def test_a_process_knows_what_it_used_since_it_was_last_asked() -> None:
    probe = ProcessProbe()
    ends = time.process_time() + 0.05
    while time.process_time() < ends:
        sum(range(1000))
    used = probe.take()
    assert used.cpu_seconds >= 0.05
    assert used.seconds >= used.cpu_seconds * 0.9
    assert probe.take().cpu_seconds < used.cpu_seconds
