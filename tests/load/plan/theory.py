"""Closed networks that have an exact solution: users who think, and a server with slots and exponential times."""

from __future__ import annotations

import math


def states(users: int, slots: int, service_s: float, think_s: float) -> list[float]:
    """The probability of each number of tasks in the system: a birth and death process, solved exactly."""
    weights = [1.0]
    for present in range(users):
        birth = (users - present) / think_s
        death = min(present + 1, slots) / service_s
        weights.append(weights[-1] * birth / death)
    total = sum(weights)
    return [weight / total for weight in weights]


def throughput_and_response(users: int, slots: int, service_s: float, think_s: float) -> tuple[float, float]:
    """Tasks a second and their mean time, from the probabilities of the states."""
    shares = states(users, slots, service_s, think_s)
    present = sum(count * share for count, share in enumerate(shares))
    throughput = (users - present) / think_s
    return throughput, present / throughput


def mean_values(users: int, slots: int, service_s: float, think_s: float) -> tuple[float, float]:
    """The same by exact mean-value analysis with queue-dependent service rates.

    It loses its digits where a server with many slots is hardly ever idle: the states are right there, too.
    """
    found = (0.0, 0.0)
    waiting = [1.0]
    for population in range(1, users + 1):
        response = sum(
            present * service_s / min(present, slots) * waiting[present - 1] for present in range(1, population + 1)
        )
        throughput = population / (response + think_s)
        busy = [
            throughput * service_s / min(present, slots) * waiting[present - 1] for present in range(1, population + 1)
        ]
        waiting = [max(0.0, 1.0 - sum(busy)), *busy]
        found = (throughput, response)
    return found


def response_within(limit_s: float, users: int, slots: int, service_s: float, think_s: float) -> float:
    """The share of tasks that take at most so long. Who arrives sees the system as it is with one user less."""
    seen = states(users - 1, slots, service_s, think_s)
    rate = 1 / service_s
    return 1.0 - sum(
        share * _beyond(limit_s, max(0, present - slots + 1), slots, rate) for present, share in enumerate(seen)
    )


def _beyond(limit_s: float, ahead: int, slots: int, rate: float) -> float:
    """The chance that `ahead` departures and then one service take longer."""
    if slots == 1:
        return _erlang_beyond(limit_s, ahead + 1, rate)
    within = 1.0 - _erlang_beyond(limit_s, ahead, (slots - 1) * rate)
    return (
        _erlang_beyond(limit_s, ahead, slots * rate)
        + math.exp(-rate * limit_s) * (slots / (slots - 1)) ** ahead * within
    )


def _erlang_beyond(limit_s: float, stages: int, rate: float) -> float:
    """The chance that so many exponential stages take longer; 0 for no stage."""
    term, total = math.exp(-rate * limit_s), 0.0
    for stage in range(stages):
        total += term
        term *= rate * limit_s / (stage + 1)
    return total
