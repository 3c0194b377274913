from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sendpoll.load.scenario.distribution import Fixed, LogNormal, Uniform
from sendpoll.load.scenario.scenario import Abandon, Message, Scenario, ScenarioError
from sendpoll.load.scenario.scenario_file import scenario_of
from sendpoll.load.scenario.shape import PoissonArrivals, Ramp, Shape, Soak, Spike, Steady, Steps

PROFILES: list[Shape] = [
    Steady(users=5, duration_s=60),
    Ramp(users=50, duration_s=60, ramp_s=30, from_users=2),
    Steps(users=50, duration_s=60, step_users=10, every_s=10, from_users=10),
    Spike(users=50, duration_s=60, at_s=20, for_s=10, from_users=5),
    Soak(users=50, duration_s=3600, ramp_s=60),
    PoissonArrivals(users=50, duration_s=60, rate=2.5),
]


def scenario(**changes: Any) -> Scenario:
    told: dict[str, Any] = {"name": "s", "messages": (Message("hi"),), "shape": PROFILES[0]}
    return Scenario(**(told | changes))


@pytest.mark.parametrize("shape", PROFILES, ids=lambda shape: shape.kind)
def test_a_scenario_of_every_shape_reads_back_as_it_was_written(shape: Shape) -> None:
    whole = scenario(
        shape=shape,
        description="all of it",
        messages=(Message("你好", 3), Message("hi")),
        think_time=LogNormal(4.0, 0.7),
        poll_interval_s=0.25,
        pacing="grid",
        messages_per_conversation=3,
        task_deadline_s=90.5,
        start_spread_s=0.0,
        reread_share=0.1,
        abandon=Abandon(0.2, Uniform(1.0, 9.0)),
        run_mode="fast",
        max_iterations=100,
        failure_statuses=("broken",),
        slos=("ttfe p95 <= 2s",),
    )
    assert scenario_of(whole.as_json()) == whole


def test_the_digest_names_the_workload_and_nothing_else() -> None:
    same = scenario(name="other", description="x", slos=("errors <= 1%",))
    assert same.digest == scenario().digest
    unlike = [
        scenario(poll_interval_s=0.4),
        scenario(messages=(Message("hi", 2),)),
        scenario(run_mode="fast"),
        scenario(shape=replace(PROFILES[0], users=6)),
        scenario(abandon=Abandon(0.1, Fixed(1.0))),
    ]
    assert len({other.digest for other in [scenario(), *unlike]}) == 6


def test_messages_are_drawn_by_their_weight() -> None:
    mixed = scenario(messages=(Message("often", 9), Message("seldom", 1)))
    source = random.Random(4)
    drawn = Counter(mixed.draw_message(source) for _ in range(5000))
    assert drawn["often"] == pytest.approx(4500, abs=120)


def test_a_final_status_that_is_not_named_as_failure_is_none() -> None:
    assert scenario().is_failure("failed")
    assert not scenario().is_failure("done")
    assert not scenario(failure_statuses=("done",)).is_failure("failed")


_FIVE_TO_ONE = {"kind": "uniform", "min": "5s", "max": "1s"}
_FOR_A_MINUTE = {"users": 5, "duration": "60s"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"shape": _FOR_A_MINUTE | {"kind": "ramp", "ramp": "90s"}}, "shape/ramp: takes until 90s, but shape/duration"),
        ({"shape": _FOR_A_MINUTE | {"kind": "spike", "at": "50s", "for": "20s"}}, "shape/for: takes until 70s"),
        ({"shape": _FOR_A_MINUTE | {"kind": "step", "step": 1, "every": "30s"}}, "shape/every: takes until 120s"),
        ({"shape": _FOR_A_MINUTE | {"kind": "step", "step": 3, "every": "31s"}}, "shape/every: takes until 62s"),
        ({"shape": _FOR_A_MINUTE | {"kind": "step", "step": 1, "every": "0s"}}, "shape/every: must be longer"),
        ({"shape": _FOR_A_MINUTE | {"kind": "soak", "ramp": "9s", "from": 9}}, "shape/from: 9 users are more than"),
        ({"shape": {"kind": "steady", "users": 5, "duration": "0s"}}, "shape/duration: must be longer"),
        ({"think_time": _FIVE_TO_ONE}, "think_time: min is greater"),
        ({"abandon": {"share": 0.1, "after": _FIVE_TO_ONE}}, "abandon/after: min is greater"),
    ],
)
def test_a_file_that_cannot_be_is_refused_by_its_key(changes: dict[str, Any], told: str) -> None:
    described = {**scenario().as_json(), **changes}
    with pytest.raises(ScenarioError, match=told):
        scenario_of(described)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"slos": ("ttfe fast",)}, "slos: 'ttfe fast' is no objective"),
        ({"poll_interval_s": 0.0}, "poll_interval"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_by_its_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        scenario(**changes)
