"""A late generator is told from a sound one."""

from __future__ import annotations

import msgpack
import pytest

from sendpoll.load.measure.health import Health, Processor, overall
from sendpoll.load.measure.histogram import Histogram


def histogram(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.record(value)
    return made


def health(lag_ms: int = 1, slip_ms: int = 1, cpu: float = 0.3, throttled: float = 0.0) -> Health:
    return Health(
        poll_interval_s=0.5,
        lag=histogram([lag_ms * 1000] * 200),
        slip=histogram([slip_ms * 1000] * 200),
        processors={"host:1": Processor(10.0, cpu * 10, throttled * 10)},
    )


def test_a_sound_generator_has_no_problems() -> None:
    assert health().problems == ()
    assert Health().problems == ()


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (health(lag_ms=120), "lag"),
        (health(slip_ms=60), "slip"),
        (health(cpu=0.95), "core"),
        (health(throttled=0.2), "throttled"),
    ],
)
def test_each_kind_of_lateness_is_a_problem_with_its_mend(one: Health, word: str) -> None:
    (problem,) = one.problems
    assert word in problem
    assert ";" in problem


def test_slip_is_measured_against_the_poll_interval() -> None:
    slow = health(slip_ms=60)
    slow.poll_interval_s = 2.0
    assert slow.problems == ()


def test_a_single_hiccup_in_a_short_run_condemns_nothing() -> None:
    short = Health(lag=histogram([1000] * 20 + [900_000]))
    assert short.problems == ()


def test_the_wire_form_reads_back_and_adds_up_by_process() -> None:
    one = health()
    other = Health.from_message(msgpack.unpackb(msgpack.packb(one.to_message()), strict_map_key=False))
    assert other == one
    other.processors = {"host:2": Processor(10.0, 9.9)}
    total = overall({0: one, 1: other})
    assert total.lag.count == 400
    assert total.cpu == pytest.approx(0.99)
    assert set(total.as_json()["processes"]) == {"host:1", "host:2"}


def test_what_this_machine_refused_is_a_problem_and_a_clock_that_was_set_is_told() -> None:
    one, other = health(), health()
    one.exhausted["local ports: 41; widen them"] = 1
    other.exhausted["local ports: 41; widen them"] = 2
    other.notes["the wall clock was set"] = 1
    total = overall({1: one, 2: Health.from_message(msgpack.unpackb(msgpack.packb(other.to_message())))})
    assert total.problems == ("the generator ran out of local ports: 41; widen them (3 calls failed)",)
    assert total.unsound == total.problems
    assert total.late == ()
    assert total.as_json()["notes"] == ["the wall clock was set"]
