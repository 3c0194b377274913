from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from sendpoll.core.validation import validator
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.results.compare import Change, CompareError, compare, read_result, refuse_unlike
from sendpoll.load.scenario.scenario import Scenario
from sendpoll.load.scenario.scenario_file import load_scenario
from tests.load.made_up import Run, metrics_of, result_of


def test_runs_against_one_unchanged_server_show_no_difference() -> None:
    """Twelve runs, each pair of them an A/A comparison of seven ratios."""
    results = [result_of(metrics_of(Run(seed=seed, polls=3))) for seed in range(12)]
    shown = [
        ratio
        for old, new in itertools.combinations(results, 2)
        for ratio in compare(old, new).ratios
        if ratio.change in {Change.WORSE, Change.BETTER}
    ]
    assert shown == []


def test_a_server_that_drifts_within_a_run_is_not_taken_for_a_changed_one() -> None:
    results = [result_of(metrics_of(Run(seconds=120, seed=seed, polls=2, drift=0.15))) for seed in range(8)]
    assert [compare(old, new).sentence for old, new in itertools.combinations(results, 2)] == [
        "no difference beyond noise (10% and the intervals)"
    ] * 28


def test_a_server_that_got_slower_is_told_and_so_is_one_that_got_faster() -> None:
    before, after = result_of(metrics_of(Run(seed=1))), result_of(metrics_of(Run(seed=2, slower=1.6)))
    worse, better = compare(before, after), compare(after, before)
    assert {"ttfe p50", "task p50", "poll p50", "poll p95"} <= {ratio.name for ratio in worse.worse}
    assert better.worse == ()
    assert {ratio.name for ratio in better.ratios if ratio.change is Change.BETTER} >= {"ttfe p50", "poll p50"}
    assert "worse: ttfe p50 (1.6" in worse.sentence


def test_less_goodput_is_worse() -> None:
    before, after = result_of(metrics_of(Run(seed=1))), result_of(metrics_of(Run(seed=2, failing=0.6)))
    assert [ratio.name for ratio in compare(before, after).worse] == ["goodput"]


def test_a_change_within_the_noise_floor_is_none() -> None:
    before, after = result_of(metrics_of(Run(seed=1))), result_of(metrics_of(Run(seed=2, slower=1.6)))
    assert compare(before, after, noise_floor=1.0).worse == ()


def test_too_few_samples_say_so() -> None:
    before, after = (result_of(metrics_of(Run(seconds=5, rate=1.0, seed=seed))) for seed in (1, 2))
    assert {ratio.change for ratio in compare(before, after).ratios if ratio.name == "task p95"} == {Change.UNKNOWN}
    nothing = result_of(Metrics())
    assert {ratio.change for ratio in compare(nothing, nothing).ratios} == {Change.UNKNOWN}


def test_unlike_workloads_are_refused_by_what_differs() -> None:
    metrics = metrics_of(Run(seconds=10))
    old = result_of(metrics)
    new = result_of(metrics, scenario=load_scenario("chat", {"poll_interval": "1s", "shape": {"users": 3}}))
    with pytest.raises(CompareError, match=r"they differ in .*poll_interval.*; repeat one of them"):
        compare(old, new)


def test_other_objectives_do_not_make_a_workload_unlike() -> None:
    metrics = metrics_of(Run(seconds=10))
    assert compare(result_of(metrics), result_of(metrics, scenario=load_scenario("chat"))).worse == ()


def test_an_invalid_run_is_no_baseline() -> None:
    sound, late = result_of(metrics_of(Run())), result_of(metrics_of(Run()), problems=["the loop was late"])
    with pytest.raises(CompareError, match="the old run is invalid"):
        compare(late, sound)
    with pytest.raises(CompareError, match="the new run is invalid"):
        compare(sound, late)


def test_a_baseline_is_refused_before_the_run() -> None:
    def planned(scenario: Scenario) -> dict[str, Any]:
        return {"workload_digest": scenario.digest, "scenario": scenario.as_json()}

    old = result_of(metrics_of(Run(seconds=10)))
    refuse_unlike(old, planned(load_scenario("chat", {"slos": ["errors <= 3%"]})))
    with pytest.raises(CompareError, match="poll_interval"):
        refuse_unlike(old, planned(load_scenario("chat", {"poll_interval": "1s"})))
    with pytest.raises(CompareError, match="the old run is unreachable: "):
        refuse_unlike(result_of(Metrics(), unreachable="refused"), planned(load_scenario("chat")))


def test_a_comparison_satisfies_the_schema_of_the_result() -> None:
    old, new = (result_of(metrics_of(Run(seed=seed))) for seed in (1, 2))
    new["comparison"] = compare(old, new).as_json()
    assert [error.message for error in validator("files/load-result.json").iter_errors(new)] == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "is no JSON"),
        ("[]", "give the result.json that this version of sendpoll load wrote"),
        ('{"kind": "other"}', "give the result.json that this version of sendpoll load wrote"),
    ],
)
def test_a_file_that_is_no_result_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(CompareError) as raised:
        read_result(path)
    assert str(raised.value).startswith(str(path))
    assert told in str(raised.value)


def test_a_result_is_read_back(tmp_path: Path) -> None:
    result = result_of(metrics_of(Run(seconds=5)))
    (tmp_path / "result.json").write_text(json.dumps(result))
    assert read_result(tmp_path / "result.json") == result
    with pytest.raises(CompareError, match="No such file"):
        read_result(tmp_path / "gone.json")
