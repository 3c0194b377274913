from __future__ import annotations

import math

import pytest

from sendpoll.load.engine import Order
from tests.load.plan.servers import KNOWN
from tests.load.plan.theory import mean_values, response_within, throughput_and_response
from tests.load.plan.virtual import Load, Server, attainment, exponential


@pytest.mark.parametrize(
    ("users", "slots", "service_s", "think_s"), [(5, 1, 0.5, 2.0), (20, 4, 0.6, 2.0), (30, 8, 1.0, 3.0)]
)
def test_the_two_ways_to_solve_the_network_agree(users: int, slots: int, service_s: float, think_s: float) -> None:
    throughput, response = mean_values(users, slots, service_s, think_s)
    expected = throughput_and_response(users, slots, service_s, think_s)
    assert (throughput, response) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("users", "slots", "service_s", "think_s", "limit_s"),
    [(11, 1, 0.2, 2.0, 1.5), (20, 4, 0.6, 2.0, 2.5), (78, 16, 2.0, 5.0, 8.0)],
)
def test_the_simulation_does_what_theory_says(
    users: int, slots: int, service_s: float, think_s: float, limit_s: float
) -> None:
    """With polls so frequent that they hide nothing, throughput and response times are those of the exact solution."""
    server = Server(slots, exponential(service_s), exponential(think_s), poll_interval=0.001)
    load = Load(server, seed=3)
    load.hold(Order(users))
    load.advance(100.0)
    load.started.clear()
    load.advance(100.0 + 40_000 / throughput_and_response(users, slots, service_s, think_s)[0])
    seen = len(load.started) / (load.now - 100.0)
    within = sum(record.elapsed_s <= limit_s for record in load.started) / len(load.started)
    mean = sum(record.elapsed_s for record in load.started) / len(load.started)
    throughput, response = throughput_and_response(users, slots, service_s, think_s)
    assert seen == pytest.approx(throughput, rel=0.02)
    assert mean == pytest.approx(response, rel=0.05)
    assert within == pytest.approx(response_within(limit_s, users, slots, service_s, think_s), abs=0.008)


@pytest.mark.parametrize("name", ["2 slots, fixed", "10 slots, fixed", "16 slots, exponential"])
def test_known_capacities_are_what_a_simulation_finds(name: str) -> None:
    known = KNOWN[name]
    below, above = math.floor(known.capacity * 0.95), math.ceil(known.capacity * 1.05)
    assert attainment(known.server, below, known.limit_s, 30_000) > 0.95
    assert attainment(known.server, above, known.limit_s, 30_000) < 0.95
