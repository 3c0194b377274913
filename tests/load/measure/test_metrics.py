from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgpack
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.load.measure.metrics import MAX_ERROR_KINDS, MAX_EVIDENCE, MAX_WINDOWS, OTHER_ERRORS, Metrics
from sendpoll.load.measure.records import Outcome, ViolationRecord
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.measure.window import Window
from tests.load.made_up import Run, broken_offset, metrics_of, record

LEVEL = ServiceLevel.parse(["ttfe p95 <= 2s", "errors <= 1%", "gold: ttfe p95 <= 0.5s"])
ENDED = [outcome for outcome in Outcome if outcome is not Outcome.DROPPED]


def numbers(window: Window) -> Any:
    """Everything that a window counted, comparable; its place in time and its users left out."""
    message = window.to_message()[3:]
    return message[:1] + [dict(sorted(part.items())) if isinstance(part, dict) else part for part in message[1:]]


def a_task(metrics: Metrics, source: random.Random) -> None:
    metrics.started()
    metrics.task(record(outcome=source.choice(ENDED), ttfe_s=source.random() * 4, leaver=source.random() < 0.2))


def measure_at_random(metrics: Metrics, source: random.Random) -> None:
    """One of the things that a user may tell."""
    tell: list[Callable[[], None]] = [
        lambda: metrics.submit(source.random()),
        lambda: metrics.poll(source.random(), source.random(), source.randrange(99), source.random() < 0.5, 3, 99),
        lambda: metrics.slip(source.random(), source.choice([0.0, 0.2])),
        lambda: metrics.lag(source.random()),
        lambda: metrics.error(f"GET task: {source.randrange(500, 504)}"),
        lambda: metrics.violation(broken_offset()),
        lambda: a_task(metrics, source),
        lambda: metrics.task(record(outcome=Outcome.DROPPED)),
    ]
    source.choice(tell)()


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.integers(0, 40))
def test_the_master_of_several_workers_knows_what_one_generator_would(
    source: random.Random, workers: int, told: int
) -> None:
    alone, master = Metrics(LEVEL), Metrics(LEVEL)
    parts = [Metrics(LEVEL) for _ in range(workers)]
    for second in range(1, 4):
        for _ in range(told):
            seed = source.random()
            measure_at_random(alone, random.Random(seed))
            measure_at_random(source.choice(parts), random.Random(seed))
        for part in parts:
            part.tick(second, 2)
            master.merge(msgpack.unpackb(msgpack.packb(part.delta()), strict_map_key=False))
        alone.tick(second, 2 * workers)
    assert numbers(master.total) == numbers(alone.total)
    assert [numbers(window) for window in master.series] == [numbers(window) for window in alone.series]
    assert [window.users for window in master.series] == [window.users for window in alone.series]
    handed_over, own = ([taken.to_message() for taken in part.take_records()] for part in (master, alone))
    assert sorted(handed_over, key=repr) == sorted(own, key=repr)


@given(st.lists(st.sampled_from(Outcome)), st.integers(1, 9))
def test_the_ledger_balances_whatever_becomes_of_the_tasks(outcomes: list[Outcome], every: int) -> None:
    metrics = Metrics(LEVEL)
    for index, outcome in enumerate(outcomes):
        if outcome is not Outcome.DROPPED:
            metrics.started()
        metrics.task(record(outcome=outcome))
        if index % every == 0:
            metrics.tick(index, 1)
    metrics.tick(len(outcomes) + 1, 0)
    assert metrics.ledger.balances
    assert metrics.ledger.offered == len(outcomes)


def test_a_task_that_was_lost_unbalances_the_ledger() -> None:
    metrics = Metrics()
    metrics.started()
    metrics.tick(1, 1)
    assert not metrics.ledger.balances


def test_each_record_is_handed_over_once() -> None:
    metrics = Metrics()
    metrics.task(record(user=7))
    assert [taken.user for taken in metrics.take_records()] == [7]
    assert metrics.take_records() == []
    metrics.task(record(user=8))
    assert len(metrics.delta()["records"]) == 1
    assert metrics.delta() == {"windows": [], "records": [], "evidence": []}


def test_a_poll_is_kept_by_its_send_its_schedule_and_the_length_of_the_log() -> None:
    metrics = Metrics()
    metrics.poll(0.001, 0.5, 0, True, 0, 60)
    metrics.poll(0.004, 0.5, 9, False, 9, 900)
    window = metrics.tick(1, 1)
    assert window.polls == 2
    assert window.counts["empty_polls"] == 1
    assert window.counts["events"] == 9
    assert window.counts["bytes"] == 960
    assert window.histograms["poll"].quantile(0.5) > 490_000
    assert sorted(window.poll_by_length) == [0, 4]
    assert window.poll_from_send.maximum < 5_000
    assert window.histograms["bytes_per_poll"].count == 1


def test_a_leaver_is_in_the_ledger_and_in_no_percentile() -> None:
    metrics = Metrics(LEVEL)
    for leaver in (True, False):
        metrics.started()
        metrics.task(record(leaver=leaver, outcome=Outcome.ABANDONED if leaver else Outcome.FINISHED))
    total = metrics.tick(1, 1)
    assert metrics.ledger.abandoned == 1
    assert total.histograms["ttfe"].count == 1
    assert total.counts["samples"] == 1


def test_samples_of_objectives_and_tiers_are_counted() -> None:
    metrics = Metrics(LEVEL)
    for ttfe in (0.4, 1.0, 3.0):
        metrics.started()
        metrics.task(record(ttfe_s=ttfe))
    total = metrics.tick(1, 1)
    assert list(zip(total.good, total.judged, strict=True)) == [(2, 3), (3, 3), (1, 3), (0, 0)]
    assert total.good_by_tier == [2, 1]


def test_a_long_run_keeps_a_bounded_series_and_every_count() -> None:
    metrics = Metrics()
    seconds = 3 * MAX_WINDOWS
    for second in range(1, seconds + 1):
        metrics.submit(0.01)
        metrics.tick(second, 10)
    series = metrics.series
    assert len(series) <= MAX_WINDOWS
    assert sum(window.histograms["submit"].count for window in series) == seconds
    assert {window.seconds for window in series} == {4}
    assert {window.users for window in series} == {10.0}


def test_two_ticks_in_one_second_lose_nothing() -> None:
    metrics = Metrics()
    for t in (1.0, 1.2, 2.1):
        metrics.submit(0.01)
        metrics.tick(t, 3)
    assert [window.histograms["submit"].count for window in metrics.series] == [1, 1, 1]
    assert [window.users for window in metrics.series] == [3, 3, 3]


def test_kinds_of_errors_and_evidence_are_bounded_and_all_are_counted() -> None:
    metrics = Metrics()
    for index in range(2 * MAX_ERROR_KINDS):
        metrics.error(f"kind {index}")
        metrics.violation(ViolationRecord("POLL-5", str(index), 0.0, 1))
        metrics.tick(index + 1, 1)
    assert len(metrics.errors) <= MAX_ERROR_KINDS + 1
    assert metrics.errors.total() == 2 * MAX_ERROR_KINDS
    assert metrics.errors[OTHER_ERRORS] > 0
    assert metrics.broken == 2 * MAX_ERROR_KINDS
    assert len(metrics.evidence["POLL-5"]) == MAX_EVIDENCE
    assert len(metrics.delta()["evidence"]) == MAX_EVIDENCE


def test_a_task_with_violations_counts_as_broken_even_if_none_was_told_apart() -> None:
    metrics = Metrics()
    metrics.started()
    metrics.task(record(violations=(("POLL-8", "cut"),)))
    metrics.tick(1, 1)
    assert metrics.broken == 1
    assert metrics.ledger.failed == 1


def test_a_made_up_run_balances() -> None:
    assert metrics_of(Run(seconds=10, failing=0.1)).ledger.balances
