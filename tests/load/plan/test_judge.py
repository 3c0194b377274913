from __future__ import annotations

import random
from typing import Any

import pytest

from sendpoll.load.measure.objective_rule import Decision
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.slo import ServiceLevel, parse_objective
from sendpoll.load.plan.judge import (
    StepVerdict,
    assess,
    is_hopeless,
    is_settled_case,
    judged,
    together,
)
from sendpoll.load.plan.steps import Hold, Purpose, Step
from sendpoll.load.plan.tallies import Observations, Tally, pooled_effect
from tests.load.made_up import record

TASK = parse_objective("task p95 <= 10s")
SERVICE = ServiceLevel.parse(["task p95 <= 10s", "errors <= 1%"])


def step_of(records: list[TaskRecord], level: float = 20, **changes: Any) -> Step:
    hold = Hold(level, Purpose.REFINE, 60, 100, 90, 10, 20)
    told: dict[str, Any] = {"settled_at": 0.0, "closed_at": 60.0, "ended_at": 70.0, "records": tuple(records)}
    return Step(number=1, hold=hold, **(told | changes))


def tasks(count: int, slow: int = 0) -> list[TaskRecord]:
    """So many tasks over a minute, of which the last `slow` took too long."""
    ends = [20.0 if place >= count - slow else 5.0 for place in range(count)]
    return [
        record(scheduled_at=60.0 * place / count, ended_at=60.0 * place / count + took)
        for place, took in enumerate(ends)
    ]


def failed_task(at: float = 1.0) -> TaskRecord:
    return record(scheduled_at=at, ended_at=at + 0.1, outcome=Outcome.FAILED, status="", error="refused")


@pytest.mark.parametrize(
    ("good", "total", "decision"),
    [
        (73, 73, Decision.PASS),
        (72, 72, Decision.INCONCLUSIVE),
        (950, 1000, Decision.INCONCLUSIVE),
        (900, 1000, Decision.FAIL),
        (0, 3, Decision.FAIL),
        (2, 3, Decision.INCONCLUSIVE),
        (0, 0, Decision.INCONCLUSIVE),
        (45_000, 50_000, Decision.FAIL),
        (0, 50_000, Decision.FAIL),
    ],
)
def test_a_decision_needs_the_whole_interval_on_one_side(good: int, total: int, decision: Decision) -> None:
    assert judged(TASK, Tally(good, total), 1.0).decision is decision


def test_where_nothing_may_fail_one_failure_is_enough() -> None:
    none_at_all = parse_objective("errors <= 0%")
    assert judged(none_at_all, Tally(9_999, 10_000), 1.0).decision is Decision.FAIL
    assert judged(none_at_all, Tally(10_000, 10_000), 1.0).decision is Decision.PASS
    assert together([judged(none_at_all, Tally(3, 3), 1.0)]) is StepVerdict.INCONCLUSIVE


def late_step(lateness_s: float, task_s: float) -> Step:
    ends = [task_s if place % 10 == 0 else 5.0 for place in range(200)]
    records = [record(scheduled_at=place * 0.3, ended_at=place * 0.3 + took) for place, took in enumerate(ends)]
    return step_of(records, late=("the generator was late",), lateness_s=lateness_s)


def test_a_late_generator_spoils_a_step_only_where_it_can_have_changed_a_count() -> None:
    """One in ten tasks is too slow: by far, or by less than the generator was late."""
    far, close = late_step(0.1, 14.0), late_step(0.1, 10.05)
    assert assess(Observations(SERVICE), far).verdict is not StepVerdict.INVALID
    spoilt = assess(Observations(SERVICE), close)
    assert spoilt.verdict is StepVerdict.INVALID
    assert spoilt.step.problems == ("the generator was late",)


def test_delays_that_are_long_against_a_round_spoil_a_step_anyhow() -> None:
    assert assess(Observations(SERVICE), late_step(0.5, 14.0)).verdict is StepVerdict.INVALID


def test_correlation_takes_certainty_away() -> None:
    assert judged(TASK, Tally(200, 200), 1.0).decision is Decision.PASS
    assert judged(TASK, Tally(200, 200), 4.0).decision is Decision.INCONCLUSIVE


def test_a_handful_of_samples_does_not_fail_by_one_bad_one() -> None:
    """Wilson's interval of 17 of 20 ends below 95 %; so many bad ones come by chance in one of thirteen cases."""
    assert judged(TASK, Tally(17, 20), 1.0).decision is Decision.INCONCLUSIVE
    assert judged(TASK, Tally(15, 20), 1.0).decision is Decision.FAIL


def test_an_objective_without_a_bad_sample_does_not_stand_in_the_way() -> None:
    errors = parse_objective("errors <= 1%")
    proven = judged(TASK, Tally(200, 200), 1.0)
    clean = judged(errors, Tally(200, 200), 1.0)
    doubtful = judged(errors, Tally(199, 200), 1.0)
    assert clean.decision is Decision.INCONCLUSIVE
    assert together([proven, clean]) is StepVerdict.PASS
    assert together([proven, doubtful]) is StepVerdict.INCONCLUSIVE
    assert together([clean]) is StepVerdict.INCONCLUSIVE
    assert together([]) is StepVerdict.INCONCLUSIVE


def test_unfinished_tasks_are_bad_samples() -> None:
    seen = assess(Observations(SERVICE), step_of(tasks(100), unfinished=100))
    assert seen.verdict is StepVerdict.FAIL
    assert seen.objectives[0].tally == Tally(100, 200, *_spread(seen.objectives[0].tally))


def _spread(found: Tally) -> tuple[float, float, int]:
    return found.between, found.within, found.batches


def test_a_step_of_a_late_generator_is_invalid_whatever_its_tasks_did() -> None:
    assert assess(Observations(SERVICE), step_of(tasks(100, 50), problems=("late",))).verdict is StepVerdict.INVALID


def test_a_step_without_one_answer_is_unreachable() -> None:
    seen = assess(Observations(SERVICE), step_of([failed_task(at) for at in range(20)]))
    assert seen.verdict is StepVerdict.UNREACHABLE
    assert seen.has_failed
    assert seen.is_dead


def test_the_binding_objective_is_the_one_furthest_from_being_met() -> None:
    seen = assess(Observations(SERVICE), step_of([*tasks(95), *(failed_task(at) for at in range(5))]))
    assert seen.binding is not None
    assert seen.binding.objective.metric == "errors"


def test_a_cohort_is_decided_when_its_open_tasks_cannot_change_the_verdict() -> None:
    book = Observations(ServiceLevel([TASK]))
    assert is_settled_case(book, step_of(tasks(2000), unfinished=2))
    assert is_settled_case(book, step_of(tasks(200, 150), unfinished=10))
    assert not is_settled_case(book, step_of(tasks(95), unfinished=5))


def test_a_step_is_hopeless_only_when_even_its_open_tasks_could_not_save_half() -> None:
    book = Observations(SERVICE)
    assert is_hopeless(book, step_of(tasks(200, 180), level=1))
    assert not is_hopeless(book, step_of(tasks(100, 60), unfinished=100, level=1))
    assert not is_hopeless(book, step_of(tasks(20, 20), level=1))


def test_a_few_samples_show_a_level_to_be_far_beyond_what_is_held() -> None:
    assert assess(Observations(SERVICE), step_of(tasks(10, 8), level=4)).is_mostly_bad
    assert not assess(Observations(SERVICE), step_of(tasks(10, 4), level=4)).is_mostly_bad
    assert not assess(Observations(SERVICE), step_of(tasks(3, 3), level=4)).is_mostly_bad


def test_a_queue_that_grew_is_a_trend_and_not_a_cluster() -> None:
    """Good at first and late in the end: what that step shows is no reason to doubt its neighbour's samples."""
    book = Observations(ServiceLevel([TASK]))
    book.add(step_of(tasks(600), level=50))
    before = book.effect(0, 50)
    book.add(step_of(tasks(600, 300), level=52))
    assert book.effect(0, 50) == before
    book.add(step_of(tasks(600, 60), level=51))
    assert book.effect(0, 50) > before


def test_the_design_effect_tells_clusters_from_single_bad_tasks() -> None:
    rng = random.Random(1)
    alone = [record(scheduled_at=t / 10, ended_at=t / 10 + (20 if rng.random() < 0.1 else 5)) for t in range(600)]
    clustered = [record(scheduled_at=t / 10, ended_at=t / 10 + (20 if t % 200 < 20 else 5)) for t in range(600)]
    book = Observations(ServiceLevel([TASK]))
    single, cluster = (book.tallies_of(step_of(tasks))[0] for tasks in (alone, clustered))
    assert pooled_effect(None, [(1.0, single)] * 10) < 2.5
    assert pooled_effect(None, [(1.0, cluster)] * 10) > 5


def test_one_user_alone_has_no_tasks_that_hang_together() -> None:
    book = Observations(ServiceLevel([TASK]))
    assert book.effect(0, 1.0) == 1.0
    assert book.effect(0, 100.0) > 1.0
