from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.core.validation import validator
from sendpoll.load.scenario.scenario import ScenarioError
from sendpoll.load.scenario.scenario_file import load_scenario, scenario_of, shipped_scenarios
from sendpoll.load.scenario.scenario_json import ScenarioChanges
from sendpoll.load.scenario.shape import PoissonArrivals, Spike

MINIMAL = "name: mine\nmessages: [{text: hi}]\nshape: {kind: steady, users: 2, duration: 30s}\n"


@pytest.mark.parametrize("name", shipped_scenarios())
def test_a_shipped_scenario_is_sound_and_named_after_its_file(name: str) -> None:
    scenario = load_scenario(name)
    assert scenario.name == name
    assert scenario.description
    assert scenario_of(scenario.as_json()) == scenario


def test_the_shipped_scenarios() -> None:
    assert shipped_scenarios() == ("burst", "chat", "mobile", "overlap", "smoke", "soak")


def test_mobile_users_poll_slowly_and_leave() -> None:
    mobile = load_scenario("mobile")
    assert mobile.poll_interval_s > 0.5
    assert mobile.abandon is not None


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL)
    scenario = load_scenario(str(path))
    assert (scenario.name, scenario.shape.users, scenario.poll_interval_s) == ("mine", 2, 0.5)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [", "is no YAML"),
        ("just a text", "the file (line 1): is a text; expected a mapping"),
        ("", "the file: is empty; expected a mapping"),
        ("name: x\nmessages: [{text: hi}]\n", "'shape' is missing; add it"),
        (MINIMAL + "think: {kind: fixed, time: 1s}\n", "'think' is not known here; is it 'think_time'?"),
        (MINIMAL + "zzz: 1\n", "'zzz' is not known here; known are name,"),
        (MINIMAL.replace("30s", "30"), "shape/duration (line 3): is a number to YAML where a text belongs; quote it"),
        (MINIMAL.replace("steady", "wavy"), 'shape/kind (line 3): "wavy" is none of steady, ramp'),
        (MINIMAL.replace("users: 2", "users: 0"), "shape/users (line 3): 0 does not fit; expected a number of"),
        (MINIMAL.replace("[{text: hi}]", "[]"), "messages (line 2): [] does not fit; expected a list of messages"),
        (MINIMAL + "slos: ['ttfe <= 2s']\n", "slos: 'ttfe <= 2s': expected a percentile"),
        (MINIMAL + "failure_statuses: [running]\n", "failure_statuses/0 (line 4):"),
        (MINIMAL + "think_time: {kind: uniform, min: 5s, max: 1s}\n", "think_time: min is greater than max"),
        (MINIMAL.replace("steady", "ramp"), "shape (line 3): 'ramp' is missing; add it"),
    ],
)
def test_an_error_names_the_file_the_place_and_the_mend(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ScenarioError) as raised:
        load_scenario(str(path))
    assert str(raised.value).startswith(str(path))
    assert told in str(raised.value)


def test_a_missing_file_is_told_with_the_shipped_names() -> None:
    with pytest.raises(ScenarioError, match=r"nowhere: no such file; .* burst, chat, mobile, overlap, smoke, soak"):
        load_scenario("nowhere")


def test_a_folder_is_no_scenario(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="is a folder"):
        load_scenario(str(tmp_path))


def test_options_override_the_file() -> None:
    changed = load_scenario("chat", {"poll_interval": "250ms", "pacing": "grid", "shape": {"users": 7}})
    assert (changed.poll_interval_s, changed.pacing, changed.shape.users) == (0.25, "grid", 7)
    assert changed.shape.kind == "ramp"


def test_a_shape_keeps_its_proportions_when_its_duration_changes() -> None:
    before, after = load_scenario("burst").shape, load_scenario("burst", {"shape": {"duration": "60s"}}).shape
    assert before == Spike(users=50, duration_s=240, from_users=5, at_s=60, for_s=60)
    assert after == Spike(users=50, duration_s=60, from_users=5, at_s=15, for_s=15)


def test_fewer_users_than_a_shape_begins_with_lower_its_beginning() -> None:
    assert load_scenario("burst", {"shape": {"users": 3}}).shape == Spike(
        users=3, duration_s=240, from_users=3, at_s=60, for_s=60
    )


def test_another_kind_of_shape_keeps_users_and_duration_and_asks_for_the_rest() -> None:
    shape = load_scenario("chat", {"shape": {"kind": "arrivals", "rate": 3}}).shape
    assert shape == PoissonArrivals(users=20, duration_s=300, rate=3)
    with pytest.raises(ScenarioError, match="as the options change it: shape: 'rate' is missing"):
        load_scenario("chat", {"shape": {"kind": "arrivals"}})


def test_objectives_that_are_asked_for_stand_in_place_of_the_scenarios() -> None:
    asked = ("ttfe p99 <= 9s", "gold: ttfe p95 <= 0.5s")
    assert load_scenario("chat", {"slos": list(asked)}).slos == asked
    assert len(load_scenario("chat", {"poll_interval": "1s"}).slos) == 3


@pytest.mark.parametrize("changes", [{"shape": {"duration": "soon"}}, {"poll_interval": "fast"}, {"slos": ["no"]}])
def test_an_option_that_cannot_be_is_refused(changes: ScenarioChanges) -> None:
    with pytest.raises(ScenarioError):
        load_scenario("chat", changes)


times = st.integers(1, 10**6).map(lambda millis: f"{millis}ms")
shares = st.floats(0, 1)
users = st.integers(1, 10**6)
waits = st.one_of(
    st.fixed_dictionaries({"kind": st.just("fixed"), "time": times}),
    st.fixed_dictionaries({"kind": st.just("exponential"), "mean": times}),
    st.fixed_dictionaries({"kind": st.just("uniform"), "min": times, "max": times}),
    st.fixed_dictionaries({"kind": st.just("lognormal"), "median": times, "sigma": st.floats(0.01, 3)}),
)
loads = {"users": users, "duration": times}
shapes = st.one_of(
    st.fixed_dictionaries({"kind": st.just("steady"), **loads}),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["ramp", "soak"]), **loads, "ramp": times}, optional={"from": users}
    ),
    st.fixed_dictionaries({"kind": st.just("step"), **loads, "step": users, "every": times}, optional={"from": users}),
    st.fixed_dictionaries({"kind": st.just("spike"), **loads, "at": times, "for": times}, optional={"from": users}),
    st.fixed_dictionaries({"kind": st.just("arrivals"), **loads, "rate": st.floats(0.001, 1000)}),
)
described_scenarios = st.fixed_dictionaries(
    {
        "name": st.text(min_size=1),
        "messages": st.lists(st.fixed_dictionaries({"text": st.text(min_size=1)}), min_size=1),
        "shape": shapes,
    },
    optional={
        "think_time": waits,
        "poll_interval": times,
        "pacing": st.sampled_from(["loop", "grid"]),
        "messages_per_conversation": st.integers(1, 100),
        "reread_share": shares,
        "abandon": st.fixed_dictionaries({"share": shares, "after": waits}),
        "run_mode": st.text(),
        "slos": st.lists(st.sampled_from(["ttfe p95 <= 2s", "errors <= 1%", "fast"])),
    },
)


@given(described_scenarios)
def test_whatever_satisfies_the_schema_is_a_scenario_or_is_refused_with_a_sentence(described: dict[str, Any]) -> None:
    assert validator("files/scenario.json").is_valid(described)
    try:
        scenario = scenario_of(described)
    except ScenarioError as error:
        assert ":" in str(error)  # noqa: PT017 - which of the two it is, is not foretold
    else:
        assert scenario_of(scenario.as_json()).digest == scenario.digest
