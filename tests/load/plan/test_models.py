from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sendpoll.load.plan.models import (
    REACH,
    fit_bounds,
    fit_usl,
    fitted_models,
    predict_bounds,
    predict_usl,
    throughput_points,
)
from sendpoll.load.plan.steps import Hold, Purpose, Step
from tests.load.made_up import record

LEVELS = (1, 2, 4, 8, 16, 24, 32, 40, 48, 64)


def steps_of(points: Sequence[tuple[float, float]], seconds: float = 1000.0) -> list[Step]:
    shared = record()
    return [
        Step(
            number, Hold(level, Purpose.LADDER, 1, 1, 1, 1, 1), 0.0, seconds, seconds, (shared,) * round(rate * seconds)
        )
        for number, (level, rate) in enumerate(points)
    ]


def noisy(points: Sequence[tuple[float, float]], seed: int = 1) -> list[tuple[float, float]]:
    rng = random.Random(seed)
    return [(level, rate * rng.lognormvariate(0, 0.02)) for level, rate in points]


def test_the_usl_is_recovered_from_its_own_throughput() -> None:
    truth = {"a": 2.0, "b": 0.05, "c": 0.001}
    found = fit_usl([(level, predict_usl(truth, level)) for level in LEVELS])
    assert found == pytest.approx(truth)


def test_no_parameter_of_the_usl_is_negative() -> None:
    """Better than linear: without the bound, contention would come out below nothing."""
    found = fit_usl([(level, level**1.05) for level in LEVELS])
    assert min(found.values()) >= 0


def test_the_bounds_are_recovered_from_their_own_throughput() -> None:
    truth = {"cycle_s": 8.0, "limit": 4.0}
    assert fit_bounds([(level, predict_bounds(truth, level)) for level in LEVELS]) == pytest.approx(truth)


@pytest.mark.parametrize("seed", range(5))
def test_a_hard_knee_is_told_from_a_soft_one(seed: int) -> None:
    knee = noisy([(level, predict_bounds({"cycle_s": 8.0, "limit": 4.0}, level)) for level in LEVELS], seed)
    soft = noisy([(level, predict_usl({"a": 8.0, "b": 0.3, "c": 0.004}, level)) for level in LEVELS], seed)
    assert fitted_models(steps_of(knee))[0].name == "operational bounds"
    assert fitted_models(steps_of(soft))[0].name == "Universal Scalability Law"


def test_intervals_hold_the_value_and_widen_with_noise() -> None:
    points = [(level, predict_usl({"a": 8.0, "b": 0.3, "c": 0.004}, level)) for level in LEVELS]
    model = next(one for one in fitted_models(steps_of(noisy(points))) if one.name.startswith("Universal"))
    assert all(one.low <= one.value <= one.high for one in model.parameters.values())
    assert all(low <= value <= high for _, value, low, high in model.curve)


def test_a_curve_ends_at_half_beyond_the_highest_level_that_was_held() -> None:
    points = [(level, predict_bounds({"cycle_s": 8.0, "limit": 4.0}, level)) for level in LEVELS]
    assert max(model.curve[-1][0] for model in fitted_models(steps_of(points))) == pytest.approx(REACH * 64)


def test_with_fewer_than_six_levels_nothing_is_fitted() -> None:
    assert fitted_models(steps_of([(level, level / 8) for level in LEVELS[:5]])) == ()


def test_steps_of_one_level_count_together() -> None:
    assert throughput_points(steps_of([(4, 1.0), (4, 2.0), (8, 3.0)])) == [(4, 1.5), (8, 3.0)]
