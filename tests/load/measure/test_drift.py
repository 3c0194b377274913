"""Slopes of known size are found, and steady servers are never said to drift, in virtual hours."""

from __future__ import annotations

import functools
import math
import random

import pytest

from sendpoll.load.measure.drift import Drift, drift_of, mean_points
from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.slo import ServiceLevel, SloError, parse_objective
from sendpoll.load.plan.settings import for_tasks
from sendpoll.load.results.gates import Gate, gates_of
from tests.load.made_up import Run, metrics_of

HOUR = 3600
SLOPE = "ttfe p95 slope <= 10%/h"


@functools.cache
def gate_of(seed: int, growth: float, text: str = SLOPE, seconds: int = HOUR) -> Gate:
    run = Run(seconds=seconds, rate=0.5, polls=0, seed=seed, drift=0.1, growth=growth, slos=(text,))
    return gates_of(metrics_of(run))[0]


def memory(seed: int, per_hour: float, hours: float = 1.0) -> list[tuple[float, float]]:
    """The memory of a server that collects its garbage: a saw of a fifth over a level that grows."""
    source, points = random.Random(seed), []
    for second in range(0, int(hours * HOUR), 10):
        level = 2e8 * (1 + per_hour * second / HOUR)
        points.append((float(second), level * (1 + 0.2 * ((second + seed * 37) % 97) / 97) * source.gauss(1, 0.01)))
    return points


def drift_of_memory(seed: int, per_hour: float) -> Drift:
    found = drift_of(mean_points(memory(seed, per_hour)))
    assert found is not None
    return found


def test_steady_servers_never_fail() -> None:
    assert all(gate_of(seed, 0.0).verdict is not Decision.FAIL for seed in range(20))
    assert all(drift_of_memory(seed, 0.0).decision(0.01) is not Decision.FAIL for seed in range(20))


def test_slowing_and_leaking_servers_always_fail() -> None:
    assert all(gate_of(seed, 0.6).verdict is Decision.FAIL for seed in range(20))
    assert all(drift_of_memory(seed, 0.1).decision(0.05) is Decision.FAIL for seed in range(20))


def test_intervals_hold_the_slope_that_is_there() -> None:
    slopes = [gate.drift for seed in range(20) if (gate := gate_of(seed, 0.6)).drift is not None]
    assert sum(one.low <= 0.6 <= one.high for one in slopes) >= 19
    # Memory grows by a share of the start, which is less and less of what there is.
    leaks = [drift_of_memory(seed, 0.1) for seed in range(40)]
    assert sum(one.low <= math.log(1.1) <= one.high for one in leaks) >= 38


def test_a_sentence_tells_the_slope_and_its_interval() -> None:
    gate = gate_of(1, 0.6)
    assert gate.sentence.startswith("it drifts by +")
    assert "99% interval" in gate.sentence
    assert gate.as_json()["slope"]["low"] > 0.1


def test_a_short_run_tells_nothing_and_memory_must_be_watched() -> None:
    assert gate_of(1, 0.0, seconds=60).verdict is Decision.INCONCLUSIVE
    unwatched = gate_of(1, 0.0, "memory slope <= 5%/h", seconds=60)
    assert unwatched.verdict is Decision.FAIL
    assert "--observe-pid" in unwatched.sentence
    (watched, _) = gates_of(metrics_of(Run(seconds=10, slos=("memory slope <= 5%/h",))), memory=memory(1, 0.2))
    assert watched.verdict is Decision.FAIL


@pytest.mark.parametrize(
    "text",
    [
        "ttfe slope <= 1%/h",
        "ttfe p95 slope <= 1%",
        "ttfe p95 slope >= 1%/h",
        "errors slope <= 1%/h",
        "memory <= 5%/h",
        "memory p95 slope <= 5%/h",
        "ttfe p95 slope <= 1%/h in every 1min",
        "ttfe p100 slope <= 1%/h",
    ],
)
def test_what_is_no_slope_is_named(text: str) -> None:
    with pytest.raises(SloError, match="such as"):
        parse_objective(text)


def test_a_slope_is_no_limit_of_a_task_and_no_matter_of_a_plan() -> None:
    objective = parse_objective("night: ttfe p95 slope <= 1%/h")
    assert (objective.slope, objective.share, objective.per_task, objective.limit_s) == (0.01, 0.95, False, None)
    service, told = for_tasks(ServiceLevel([objective]))
    assert [one.metric for one in service.objectives] == ["violations"]
    assert "about drift" in told[0]
