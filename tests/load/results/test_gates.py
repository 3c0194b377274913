from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.records import Outcome
from sendpoll.load.measure.slo import ServiceLevel, parse_objective
from sendpoll.load.results.gates import decide, gates_of
from tests.load.made_up import Run, broken_offset, metrics_of, record


def binomial(samples: int, good: int, share: float) -> float:
    """The probability of exactly so many good samples."""
    log = math.lgamma(samples + 1) - math.lgamma(good + 1) - math.lgamma(samples - good + 1)
    return math.exp(log + good * math.log(share) + (samples - good) * math.log1p(-share))


@pytest.mark.parametrize("percent", [50, 90, 95, 99])
@given(samples=st.integers(1, 600))
@settings(max_examples=40)
def test_a_server_just_below_its_objective_seldom_passes_and_one_just_on_it_seldom_fails(
    percent: int, samples: int
) -> None:
    """Exact over all outcomes of a binomial: neither error is likelier than one in forty."""
    objective = parse_objective(f"ttfe p{percent} <= 2s")
    chance = dict.fromkeys(Decision, 0.0)
    for good in range(samples + 1):
        chance[decide(objective, good, samples).verdict] += binomial(samples, good, percent / 100)
    assert chance[Decision.PASS] <= 0.02501
    assert chance[Decision.FAIL] <= 0.02501


@given(st.integers(1, 3000), st.data(), st.sampled_from([50, 95, 99]), st.floats(1.0, 20.0))
def test_correlation_never_turns_an_open_gate_into_a_decided_one(
    samples: int, data: st.DataObject, percent: int, effect: float
) -> None:
    objective = parse_objective(f"task p{percent} <= 2s")
    good = data.draw(st.integers(0, samples))
    plain, correlated = decide(objective, good, samples), decide(objective, good, samples, effect)
    assert correlated.verdict in {plain.verdict, Decision.INCONCLUSIVE}


@given(st.integers(1, 3000), st.data())
def test_one_more_good_sample_never_makes_a_verdict_worse(samples: int, data: st.DataObject) -> None:
    objective = parse_objective("ttfe p95 <= 2s")
    order = [Decision.FAIL, Decision.INCONCLUSIVE, Decision.PASS]
    good = data.draw(st.integers(0, samples - 1))
    before, after = (order.index(decide(objective, count, samples).verdict) for count in (good, good + 1))
    assert before <= after


@pytest.mark.parametrize(
    ("text", "good", "samples", "verdict"),
    [
        ("ttfe p95 <= 2s", 73, 73, "pass"),
        ("ttfe p95 <= 2s", 72, 72, "inconclusive"),
        ("ttfe p95 <= 2s", 95, 100, "inconclusive"),
        ("ttfe p95 <= 2s", 170, 200, "fail"),
        ("ttfe p95 <= 2s", 0, 0, "fail"),
        ("errors <= 1%", 400, 400, "pass"),
        ("errors <= 1%", 380, 400, "fail"),
        ("errors <= 0%", 10, 10, "pass"),
        ("errors <= 0%", 9, 10, "fail"),
        ("attainment >= 100%", 9, 10, "fail"),
    ],
)
def test_a_gate_is_decided_on_counts(text: str, good: int, samples: int, verdict: str) -> None:
    assert decide(parse_objective(text), good, samples).verdict == verdict


@pytest.mark.parametrize(
    ("text", "good", "samples", "told"),
    [
        ("ttfe p95 <= 2s", 0, 0, "no task was measured, so nothing shows that it holds"),
        ("poll p99 <= 200ms", 0, 0, "no poll was measured, so nothing shows that it holds"),
        (
            "ttfe p95 <= 2s",
            170,
            200,
            "85% of 200 tasks were within 2.00 s (95% interval 79.4% to 89.3%), at least 95% needed",
        ),
        (
            "errors <= 1%",
            380,
            400,
            "5% of 400 tasks ended in an error (95% interval 3.26% to 7.6%), at most 1% needed",
        ),
        ("ttfe p95 <= 2s", 20, 20, "at least 73 samples are needed even if all are good"),
        ("ttfe p95 <= 2s", 95, 100, "chance may explain it either way: run longer"),
        ("empty_polls <= 90%", 1, 1, "0% of 1 poll brought nothing"),
    ],
)
def test_a_gate_says_why(text: str, good: int, samples: int, told: str) -> None:
    assert told in decide(parse_objective(text), good, samples).sentence


def test_samples_that_hang_together_are_said_to() -> None:
    sentence = decide(parse_objective("ttfe p95 <= 2s"), 99, 100, 10.0).sentence
    assert "these 100 tell as much as 10" in sentence


def test_every_objective_of_a_run_is_decided_in_order() -> None:
    gates = gates_of(
        metrics_of(Run(slos=["ttfe p95 <= 2s", "ttfe p95 <= 100ms", "poll p50 <= 1s", "empty_polls <= 90%"]))
    )
    assert [str(gate.verdict) for gate in gates] == ["pass", "fail", "pass", "pass", "pass"]
    assert gates[2].evidence.samples == gates[3].evidence.samples == metrics_of(Run()).total.polls


def test_a_metric_without_samples_fails_closed() -> None:
    level = ServiceLevel.parse(["ttfe p95 <= 2s", "poll p99 <= 1s", "empty_polls <= 90%", "errors <= 1%"])
    assert {gate.verdict for gate in gates_of(Metrics(level))} == {Decision.FAIL}


def test_unfinished_tasks_fail_a_gate_that_the_finished_ones_would_pass() -> None:
    metrics = Metrics(ServiceLevel.parse(["task p95 <= 30s"]))
    for index in range(200):
        metrics.started()
        metrics.task(record(outcome=Outcome.TIMED_OUT if index % 5 == 0 else Outcome.FINISHED))
        metrics.tick(index + 1, 1)
    assert gates_of(metrics)[0].verdict is Decision.FAIL


def test_one_violation_fails_the_run_by_name() -> None:
    metrics = metrics_of(Run(seconds=10, slos=[]))
    assert gates_of(metrics)[0].verdict is Decision.PASS
    metrics.violation(broken_offset())
    metrics.tick(11, 0)
    gate = gates_of(metrics)[0]
    assert gate.verdict is Decision.FAIL
    assert gate.sentence == "1 violation: POLL-5 (1x)"


def test_tasks_that_were_slow_together_are_worth_less() -> None:
    """Ten seconds of a hundred are slow: 900 of 1,000 tasks are good, and still no ten independent tests."""
    metrics = Metrics(ServiceLevel.parse(["ttfe p85 <= 2s"]))
    for second in range(100):
        for _ in range(10):
            metrics.started()
            metrics.task(record(ttfe_s=9.0 if 40 <= second < 50 else 0.5))
        metrics.tick(second + 1, 10)
    gate = gates_of(metrics)[0]
    assert (gate.evidence.good, gate.evidence.samples) == (900, 1000)
    assert gate.evidence.effective < 100
    assert gate.verdict is Decision.INCONCLUSIVE
