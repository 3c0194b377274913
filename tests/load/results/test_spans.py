"""An objective that holds in every span: decided span by span, by the rule of all others."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.slo import ServiceLevel, SloError, parse_objective
from sendpoll.load.plan.settings import for_tasks
from sendpoll.load.results.gates import Gate, gates_of
from sendpoll.load.results.spans import decision_of, spans_of
from tests.load.made_up import record


def gate_of(text: str, slow: range, seconds: int = 300, rate: int = 3) -> Gate:
    """Of a run in which the tasks of some seconds have a late first event."""
    metrics = Metrics(ServiceLevel.parse([text]))
    for second in range(seconds):
        for user in range(rate):
            metrics.started()
            taken = 9.0 if second in slow else 0.5
            metrics.task(record(user=user, scheduled_at=float(second), ended_at=second + 9.5, ttfe_s=taken))
        metrics.tick(second + 1, rate)
    return gates_of(metrics)[0]


def test_one_bad_minute_fails_what_the_whole_run_keeps() -> None:
    late = range(130, 142)
    assert gate_of("ttfe p95 <= 2s", late, 1800).verdict is Decision.PASS
    gate = gate_of("ttfe p95 <= 2s in every 1min", late, 1800)
    assert gate.verdict is Decision.FAIL
    assert "29 of 30 spans of 60.0 s surely keep it; in the one from 2 min on, 80% of 180 tasks" in gate.sentence


def test_a_run_that_keeps_it_in_each_passes() -> None:
    gate = gate_of("ttfe p95 <= 2s in every 1min", range(130, 131))
    assert gate.verdict is Decision.PASS


def test_spans_with_too_few_tasks_decide_nothing() -> None:
    gate = gate_of("ttfe p95 <= 2s in every 10s", range(0))
    assert gate.verdict is Decision.INCONCLUSIVE
    assert "samples are needed" in gate.sentence


def test_many_spans_of_a_server_on_the_edge_seldom_fail_one() -> None:
    """At exactly 95 % a span is good with probability 0.95: 100 looks at 97.5 % each would mostly find a culprit."""
    source, failed = random.Random(1), 0
    for _ in range(100):
        windows = [(60.0 * span, (sum(source.random() < 0.95 for _ in range(200)), 200)) for span in range(60)]
        failed += decision_of(spans_of(0.95, 60.0, windows)) is Decision.FAIL
    assert failed <= 8


@pytest.mark.parametrize(
    ("text", "mend"),
    [
        ("ttfe p95 <= 2s in every minute", "in every 1min"),
        ("ttfe p95 <= 2s in every 10ms", "1s or longer"),
        ("violations = 0 in every 1min", "over the whole run"),
        ("ttfe p95 <= 2s every 1min", "is no objective"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, mend: str) -> None:
    with pytest.raises(SloError, match=mend):
        parse_objective(text)


def test_a_span_is_read_and_a_plan_looks_at_the_whole() -> None:
    objective = parse_objective("gold:  errors <= 1% in every 5 min")
    assert (objective.every_s, objective.tier, objective.text) == (300.0, "gold", "gold: errors <= 1% in every 5 min")
    service, told = for_tasks(ServiceLevel([objective]))
    assert service.objectives[0] == replace(objective, every_s=None)
    assert "over each step as a whole" in told[0]
