"""How fast a target is asked, and that a request can be alone."""

from __future__ import annotations

import threading

from sendpoll.conformance.server.probing.pacing import CLIENTS_PACE, Floor, Pace


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(pace: Pace, clock: Clock, requests: int) -> float:
    """Take so many turns one after another, each when it is due; the seconds that took."""
    began = clock.now
    for _ in range(requests):
        clock.now += pace.turn()
    return clock.now - began


def test_without_a_rate_nothing_waits() -> None:
    clock = Clock()
    assert run(Pace(clock=clock), clock, 1000) == 0.0


def test_a_rate_is_kept_in_the_mean() -> None:
    clock = Clock()
    assert 9.0 <= run(Pace(20.0, clock), clock, 200) <= 10.1


def test_an_idle_time_is_not_saved_up() -> None:
    clock = Clock()
    pace = Pace(20.0, clock)
    clock.now += 1000
    assert run(pace, clock, 200) >= 8.9


def test_a_limit_is_learnt_from_what_was_taken_before_it_was_met() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    for _ in range(60):
        clock.now += 0.1
        pace.turn()
    pace.came_too_fast(clock.now)
    assert pace.most is not None
    assert 7.0 <= pace.most <= 9.0  # 60 in 6 s


def test_what_was_on_its_way_meanwhile_says_nothing_new() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    clock.now += 1
    for _ in range(50):
        pace.turn()
    sent_at = clock.now
    clock.now += 1
    pace.came_too_fast(sent_at)
    learnt = pace.most
    clock.now += 0.01
    pace.came_too_fast(sent_at)
    assert pace.most == learnt


def test_no_rate_is_below_that_of_one_client_unless_the_user_says_so() -> None:
    clock = Clock()
    for most, lowest in ((None, CLIENTS_PACE), (0.5, 0.5)):
        pace = Pace(most, clock)
        for _ in range(5):
            clock.now += 100
            pace.came_too_fast(clock.now)
        assert pace.most == lowest


def test_a_learnt_rate_grows_again_but_not_above_what_was_asked_for() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    clock.now += 10
    pace.came_too_fast(clock.now)
    assert run(pace, clock, 400) < 100  # at two a second it would be 200 s
    pace.keep_to(3.0)
    run(pace, clock, 200)
    assert pace.most is not None
    assert pace.most <= 3.0


def test_who_is_alone_has_nobody_beside() -> None:
    floor, seen, guard = Floor(), list[str](), 20.0
    inside, leave = threading.Event(), threading.Event()

    def beside() -> None:
        with floor.shared():
            inside.set()
            leave.wait(guard)
            seen.append("beside")

    def alone() -> None:
        with floor.alone():
            seen.append("alone")

    def later() -> None:
        with floor.shared():
            seen.append("later")

    threads = [threading.Thread(target=work) for work in (beside, alone, later)]
    threads[0].start()
    assert inside.wait(guard)
    threads[1].start()
    while not floor._alone:
        pass
    threads[2].start()
    leave.set()
    for thread in threads:
        thread.join(guard)
    assert seen == ["beside", "alone", "later"]


def test_a_pace_is_a_clients_where_each_stretch_before_has_no_more_than_one_sends() -> None:
    clock = Clock()
    pace = Pace(clock=clock)
    assert not pace.was_a_clients(clock.now)  # nothing is known of the seconds before the run
    clock.now += 20
    for _ in range(20):
        clock.now += 0.5
        pace.turn()
    assert pace.was_a_clients(clock.now)

    for _ in range(4):
        pace.turn()
    assert not pace.was_a_clients(clock.now)  # more in one second than a client's calls
    clock.now += 1
    assert pace.was_a_clients(clock.now + 10)
    for _ in range(4):
        pace.turn()
    clock.now += 1
    assert not pace.was_a_clients(clock.now)  # none of them in the last second, too many in three
    clock.now += 10
    assert pace.was_a_clients(clock.now)
