from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from sendpoll.core.validation import validator
from sendpoll.load.plan.little import little_check
from sendpoll.load.plan.polling import PollCost
from sendpoll.load.plan.result import plan_result
from sendpoll.load.plan.steps import Hold, Purpose, Step
from sendpoll.load.results.verdict import ExitCode
from tests.load.made_up import record
from tests.load.plan.made_up import TOKEN, facts_of, made_up_result
from tests.load.plan.servers import planned
from tests.load.plan.virtual import Server, exponential, fixed

COST = PollCost(0.25, 50.0, 200, 16.0, 0.8, 90.0, 0.95, 0.92, 0.97, 1.0, 6.5, 51.0, 47.0, 55.0)


@pytest.fixture(scope="module", name="result")
def _result() -> Any:
    return made_up_result(polls=(COST,))[0]


def valid(result: Any) -> None:
    errors = list(validator("files/plan.json").iter_errors(json.loads(json.dumps(result, allow_nan=False))))
    assert not errors, errors[0].message


def test_the_result_follows_its_schema(result: Any) -> None:
    valid(result)


def test_the_schema_refuses_what_is_no_plan(result: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator("files/plan.json").validate({**result, "end": "tired"})


@pytest.mark.parametrize(
    ("server", "more"),
    [
        (Server(10, fixed(8.0), exponential(4.0)), {}),
        (Server(5000, fixed(1.0), exponential(3.0)), {"max_level": 64}),
        (Server(10, fixed(2.0), exponential(4.0), dies_at=0.0), {}),
        (Server(10, fixed(2.0), exponential(4.0), dies_beyond=40), {}),
        (Server(10, fixed(1.0), fixed(0.0)), {"arrivals": True}),
    ],
)
def test_the_result_of_every_end_follows_its_schema(server: Server, more: dict[str, Any]) -> None:
    valid(plan_result(facts_of(planned(server, ["task p95 <= 5.25s"], 1, **more)))[0])


def test_the_sentence_says_how_many_how_sure_and_what_gives_first(result: Any) -> None:
    assert f"holds {int(result['answer']['level'])} users within task p95 <= 6.75s" in result["sentence"]
    assert "95 % interval" in result["sentence"]
    assert "task p95 <= 6.75s gives first" in result["sentence"]
    assert "Plan with" in result["sentence"]


def test_an_objective_without_a_bad_sample_is_told_as_such(result: Any) -> None:
    assert any(note.startswith("not one bad sample of errors <= 1% in") for note in result["notes"])


def test_the_token_is_nowhere_in_it() -> None:
    result, _ = made_up_result(notes=(f"someone wrote {TOKEN} here",))
    assert TOKEN not in json.dumps(result)


@pytest.mark.parametrize(
    ("required", "code", "word"), [(30, ExitCode.PASS, "are held"), (80, ExitCode.SLO_FAILED, "are not held")]
)
def test_a_required_number_of_users_makes_it_a_gate(required: int, code: ExitCode, word: str) -> None:
    result, found = made_up_result(required=float(required))
    assert found is code
    assert result["exit_code"] == code
    assert result["sentence"].endswith(f"The required {required} users {word}.")


def test_every_tier_is_answered_from_one_ladder() -> None:
    slos = ("task p95 <= 6.75s", "gold: task p95 <= 5.25s", "silver: task p80 <= 8.75s")
    result, _ = made_up_result(slos=slos)
    tiers = {tier["tier"]: tier for tier in result["tiers"]}
    assert tiers["gold"]["level"] < tiers[""]["level"] < tiers["silver"]["level"]
    assert result["answer"] == tiers[""]


def test_littles_law_holds_in_the_steps_of_a_sound_plan() -> None:
    """The scenario's think time is not this server's, so the check is made with the server's own."""
    plan = planned(Server(20, fixed(4.0), exponential(5.0)), ["task p95 <= 6.75s"], 1)
    checks = [little_check(step, 5.0, arrivals=False) for step in plan.steps if step.started >= 100]
    judged = [check for check in checks if check is not None]
    assert len(judged) >= 4
    assert all(check.holds for check in judged)
    wrong = [little_check(step, 9.0, arrivals=False) for step in plan.steps if step.started >= 100]
    assert not any(check.holds for check in wrong if check is not None)


def test_a_follow_up_is_part_of_a_round_and_no_round_of_its_own() -> None:
    """Ten users, a round of 5 s each: two tasks a second, and for the law still two with follow-ups beside them."""
    own = [record(scheduled_at=place / 2, ended_at=place / 2 + 2) for place in range(120)]
    behind = [record(scheduled_at=place, ended_at=place + 4, follow_up=True) for place in range(60)]
    hold = Hold(10, Purpose.REFINE, 60, 100, 60, 5, 10)
    step = Step(1, hold, settled_at=0.0, closed_at=60.0, ended_at=64.0, records=(*own, *behind))
    check = little_check(step, 3.0, arrivals=False)
    assert check is not None
    assert check.found == pytest.approx(10)


def test_sizing_states_replicas_for_four_crowds_and_what_it_takes_for_granted(result: Any) -> None:
    rows = result["sizing"]["rows"]
    assert [row["load"] for row in rows] == [100, 1_000, 10_000, 100_000]
    assert all(row["fewest"] <= row["replicas"] <= row["most"] for row in rows)
    assert result["sizing"]["per_replica"] == result["recommended"]["level"] <= result["answer"]["level"]
    assert len(result["sizing"]["assumptions"]) >= 3
