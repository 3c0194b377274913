"""How many users there are when."""

from __future__ import annotations

import pytest

from sendpoll.load.scenario.shape import PoissonArrivals, Ramp, Shape, Soak, Spike, Steady, Steps


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        (Steady(users=9, duration_s=100), {0: 9, 50: 9, 99: 9}),
        (PoissonArrivals(users=9, duration_s=100, rate=2.5), {0: 9, 50: 9, 99: 9}),
        (Ramp(users=21, duration_s=100, ramp_s=40), {0: 1, 20: 11, 40: 21, 99: 21}),
        (Soak(users=21, duration_s=100, from_users=1, ramp_s=40), {0: 1, 20: 11, 99: 21}),
        (Soak(users=3, duration_s=100, ramp_s=0), {0: 3, 99: 3}),
        (
            Steps(users=10, duration_s=100, from_users=4, step_users=4, every_s=20),
            {0: 4, 19: 4, 20: 8, 40: 10, 99: 10},
        ),
        (
            Spike(users=30, duration_s=100, from_users=3, at_s=20, for_s=10),
            {0: 3, 19.9: 3, 20: 30, 29.9: 30, 30: 3, 99: 3},
        ),
    ],
    ids=["steady", "arrivals", "ramp", "soak", "soak without a ramp", "step", "spike"],
)
def test_users_over_time(shape: Shape, expected: dict[float, int]) -> None:
    assert {moment: shape.users_at(moment) for moment in expected} == expected
