from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sendpoll.core.reports.files import json_text
from sendpoll.core.validation import validator
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.records import Outcome
from sendpoll.load.results.load_result import load_result
from sendpoll.load.results.series import POINTS
from sendpoll.load.results.verdict import ExitCode
from tests.load.made_up import Run, broken_offset, facts, metrics_of, record, result_of


def broken_metrics() -> Metrics:
    metrics = metrics_of(Run(failing=0.05))
    metrics.violation(broken_offset("the token is very-secret-token"))
    metrics.error("POST messages: very-secret-token")
    metrics.started()
    metrics.task(record(violations=(("POLL-5", "again"),)))
    metrics.task(record(outcome=Outcome.DROPPED))
    metrics.tick(61, 1)
    return metrics


@pytest.mark.parametrize("metrics", [Metrics(), metrics_of(Run()), broken_metrics()], ids=["empty", "clean", "broken"])
def test_a_result_satisfies_its_schema(metrics: Metrics) -> None:
    result = result_of(metrics)
    read = json.loads(json_text(result))
    assert read == result
    assert [error.message for error in validator("files/load-result.json").iter_errors(read)] == []


def test_no_secret_is_in_it() -> None:
    told = json.dumps(result_of(broken_metrics(), unreachable="very-secret-token was refused"))
    assert "very-secret-token" not in told
    assert "[token]" in told


def test_the_verdict_and_the_exit_code_are_in_it() -> None:
    result, verdict = load_result(facts(), metrics_of(Run(slos=["ttfe p95 <= 1ms"])))
    assert (result["verdict"], result["exit_code"]) == ("fail", 1)
    assert verdict.code is ExitCode.SLO_FAILED
    assert result_of(metrics_of(Run()), problems=["late"])["verdict"] == "invalid"
    assert result_of(Metrics(), unreachable="refused")["exit_code"] == 5


def test_percentiles_come_from_all_samples() -> None:
    metrics = metrics_of(Run(seconds=100))
    described = result_of(metrics)["metrics"]["poll"]
    total = metrics.total.histograms["poll"]
    assert described["count"] == total.count == sum(times for _, times in described["histogram"])
    assert described["quantiles"]["p95"]["value"] == pytest.approx(total.quantile(0.95) / 1e6)
    assert described["quantiles"]["p95"]["low"] < described["quantiles"]["p95"]["value"]


def test_goodput_and_attainment_are_against_what_was_started() -> None:
    metrics = Metrics()
    for second in range(1, 11):
        for outcome in (Outcome.FINISHED, Outcome.TIMED_OUT):
            metrics.started()
            metrics.task(record(outcome=outcome))
        metrics.tick(second, 2)
    result = result_of(metrics)
    assert result["goodput"]["value"] == 1.0
    assert result["tiers"][0]["attainment"] == 0.5


def test_dropped_arrivals_count_against_attainment() -> None:
    metrics = Metrics()
    metrics.started()
    metrics.task(record())
    metrics.task(record(outcome=Outcome.DROPPED))
    metrics.tick(1, 1)
    assert result_of(metrics)["tiers"][0]["attainment"] == 0.5


def test_poll_latency_is_told_by_the_length_of_the_log() -> None:
    metrics = Metrics()
    for length in (0, 1, 2, 3, 500):
        metrics.poll(0.001 * (length + 1), 0.001, length, False, 1, 10)
    metrics.tick(1, 1)
    rows = result_of(metrics)["poll_by_log_length"]
    assert [(row["from_events"], row["to_events"], row["count"]) for row in rows] == [
        (0, 0, 1),
        (1, 1, 1),
        (2, 3, 2),
        (256, 511, 1),
    ]
    assert rows[-1]["p50"] == pytest.approx(0.501, rel=0.01)


def test_the_course_has_columns_of_one_length_and_few_points() -> None:
    result = result_of(metrics_of(Run(seconds=1000, rate=1.0, polls=1)))
    lengths = {len(column) for column in result["series"]["columns"].values()}
    assert len(lengths) == 1
    assert lengths.pop() <= POINTS
    assert max(result["series"]["columns"]["t"]) <= 1000


def test_a_gap_in_time_is_no_goodput() -> None:
    """A generator that hung for eight seconds had none in them, whatever its windows say."""
    metrics = Metrics()
    for second in (1, 10):
        metrics.started()
        metrics.task(record())
        metrics.tick(second, 1)
    assert result_of(metrics)["goodput"]["value"] == pytest.approx(0.2)


def test_a_broken_requirement_is_told_with_its_row_and_its_proof() -> None:
    row = result_of(broken_metrics())["violations"][0]
    assert row["requirement"] == "POLL-5"
    assert row["title"].startswith("The server must ")
    assert "C" in row["breaks"]
    assert row["evidence"][0]["exchanges"][0]["request"].startswith("GET ")


def test_what_a_server_merely_should_do_is_told_apart_and_fails_nothing() -> None:
    """POLL-13 is of readers who come after the end: no published client does."""
    metrics = metrics_of(Run())
    metrics.violation(replace(broken_offset(), requirement="POLL-13"))
    metrics.tick(61, 1)
    result = result_of(metrics)
    assert ([row["requirement"] for row in result["missed"]], result["violations"]) == (["POLL-13"], [])
    assert result["missed"][0]["evidence"]
    (gate,) = [gate for gate in result["gates"] if gate["metric"] == "violations"]
    assert gate["verdict"] == "pass"
    assert result["exit_code"] == result_of(metrics_of(Run()))["exit_code"]
