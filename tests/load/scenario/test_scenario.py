from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from sendpoll.load.scenario.distribution import Distribution
from sendpoll.load.scenario.scenario import Abandon, Message, Scenario, ScenarioError, Shape
from sendpoll.load.scenario.scenario_file import scenario_of

PROFILES = [
    Shape(kind="steady", users=5, duration_s=60),
    Shape(kind="ramp", users=50, duration_s=60, ramp_s=30, from_users=2),
    Shape(kind="step", users=50, duration_s=60, step_users=10, every_s=10, from_users=10),
    Shape(kind="spike", users=50, duration_s=60, at_s=20, for_s=10, from_users=5),
    Shape(kind="soak", users=50, duration_s=3600, ramp_s=60),
    Shape(kind="arrivals", users=50, duration_s=60, rate=2.5),
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
        think_time=Distribution("lognormal", 4.0, 0.7),
        poll_interval_s=0.25,
        pacing="grid",
        messages_per_conversation=3,
        task_deadline_s=90.5,
        start_spread_s=0.0,
        reread_share=0.1,
        abandon=Abandon(0.2, Distribution("uniform", 1.0, 9.0)),
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
        scenario(abandon=Abandon(0.1, Distribution("fixed", 1.0))),
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


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"kind": "ramp", "ramp_s": 90}, "shape/ramp: takes until 90s, but shape/duration is 60s"),
        ({"kind": "spike", "at_s": 50, "for_s": 20}, "shape/spike: takes until 70s"),
        ({"kind": "step", "step_users": 1, "every_s": 30, "users": 5}, "shape/every: takes until 120s"),
        ({"from_users": 9}, "shape/from: 9 users are more than"),
        ({"duration_s": 0}, "shape/duration"),
    ],
)
def test_a_shape_that_cannot_be_is_refused_by_its_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        replace(PROFILES[0], **changes)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"think_time": Distribution("uniform", 5.0, 1.0)}, "think_time: min is greater"),
        ({"abandon": Abandon(0.1, Distribution("uniform", 5.0, 1.0))}, "abandon/after: min is greater"),
        ({"slos": ("ttfe fast",)}, "slos: 'ttfe fast' is no objective"),
        ({"poll_interval_s": 0.0}, "poll_interval"),
    ],
)
def test_a_scenario_that_cannot_be_is_refused_by_its_key(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ScenarioError, match=told):
        scenario(**changes)
