from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.load.measure.records import Outcome, Standing
from sendpoll.load.measure.slo import METRICS, NO_VIOLATIONS, Objective, ServiceLevel, SloError, erred, parse_objective
from tests.load.made_up import record


@pytest.mark.parametrize(
    ("text", "metric", "share", "limit", "tier"),
    [
        ("ttfe p95 <= 2s", "ttfe", 0.95, 2.0, ""),
        ("task p95<=30s", "task", 0.95, 30.0, ""),
        ("  poll   p99  <=  200ms ", "poll", 0.99, 0.2, ""),
        ("stall p95 <= 5s", "stall", 0.95, 5.0, ""),
        ("submit p99.9 <= 1.5s", "submit", 0.999, 1.5, ""),
        ("task p50 <= 2min", "task", 0.5, 120.0, ""),
        ("errors <= 1%", "errors", 0.99, None, ""),
        ("empty_polls <= 90%", "empty_polls", 0.1, None, ""),
        ("attainment >= 95%", "attainment", 0.95, None, ""),
        ("violations = 0", "violations", 1.0, None, ""),
        ("gold: ttfe p95 <= 1s", "ttfe", 0.95, 1.0, "gold"),
    ],
)
def test_an_objective_is_read(text: str, metric: str, share: float, limit: float | None, tier: str) -> None:
    objective = parse_objective(text)
    assert (objective.metric, objective.tier) == (metric, tier)
    assert objective.share == pytest.approx(share)
    assert objective.limit_s == (None if limit is None else pytest.approx(limit))


@pytest.mark.parametrize("form", METRICS.values(), ids=METRICS)
def test_every_example_in_an_error_is_itself_an_objective(form: object) -> None:
    parse_objective(form.example)  # type: ignore[attr-defined]  # the private form has it


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no objective"),
        ("fast please", "no objective"),
        ("ttfe p95 <= 2s; task p95 <= 3s", "no objective"),
        ("latency p95 <= 2s", "no metric is called 'latency'"),
        ("ttfe <= 2s", "a percentile"),
        ("ttfe p95 >= 2s", "'<='"),
        ("ttfe p95 <= 2", "its unit"),
        ("ttfe p95 <= 2%", "its unit"),
        ("ttfe p0 <= 2s", "between p0 and p100"),
        ("ttfe p100 <= 2s", "between p0 and p100"),
        ("ttfe p9.9.9 <= 2s", "no percentile"),
        ("errors <= 1", "a percentage"),
        ("errors >= 1%", "'<='"),
        ("errors p95 <= 1%", "a percentage"),
        ("attainment <= 95%", "'>='"),
        ("attainment >= 101%", "between 0% and 100%"),
        ("violations <= 3", "never within limits"),
        ("violations = 3", "never within limits"),
    ],
)
def test_an_unreadable_objective_is_told_what_is_wrong_with_it(text: str, told: str) -> None:
    with pytest.raises(SloError) as raised:
        parse_objective(text)
    assert told in str(raised.value)
    assert repr(text) in str(raised.value)
    assert "such as" in str(raised.value) or "expected one of" in str(raised.value) or "write" in str(raised.value)


@given(st.text(max_size=60) | st.from_regex(r"[a-z]+ ?p?[0-9.]* ?[<>=]+ ?[0-9.]+ ?[a-z%]*", fullmatch=True))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(SloError):
        assert isinstance(parse_objective(text), Objective)


def test_no_violations_is_always_asked_for_and_only_once() -> None:
    level = ServiceLevel.parse(["violations = 0", "gold: violations = 0"])
    assert level.objectives == (NO_VIOLATIONS,)


def test_a_task_is_good_only_within_every_limit() -> None:
    level = ServiceLevel.parse(["ttfe p95 <= 1s", "task p95 <= 5s"])
    assert level.standing(record(ttfe_s=1.0, ended_at=15.0)) is Standing.GOOD
    assert level.standing(record(ttfe_s=1.01)) is Standing.SLOW
    assert level.standing(record(ended_at=15.1)) is Standing.SLOW
    assert level.standing(record(ttfe_s=None)) is Standing.SLOW


@pytest.mark.parametrize(
    ("outcome", "standing"),
    [
        (Outcome.FAILED, Standing.FAILED),
        (Outcome.TIMED_OUT, Standing.TIMED_OUT),
        (Outcome.ABANDONED, Standing.ABANDONED),
        (Outcome.DROPPED, Standing.DROPPED),
    ],
)
def test_an_unfinished_task_is_a_bad_sample_of_every_limit(outcome: Outcome, standing: Standing) -> None:
    level = ServiceLevel.parse(
        ["ttfe p95 <= 1s", "task p95 <= 5s", "stall p95 <= 5s", "errors <= 1%", "attainment >= 9%"]
    )
    unfinished = record(outcome=outcome, ttfe_s=0.1)
    assert level.standing(unfinished) is standing
    assert level.judge(unfinished) == (False, False, False, False, False, None)


def test_a_broken_requirement_makes_a_fast_task_a_failed_one() -> None:
    level = ServiceLevel.parse(["ttfe p95 <= 1s", "attainment >= 95%"])
    broken = record(violations=(("POLL-5", "gap"),))
    assert level.standing(broken) is Standing.FAILED
    assert level.judge(broken)[:2] == (False, False)
    assert erred(broken)


def test_a_user_who_was_to_leave_is_no_sample_of_a_limit_and_no_error() -> None:
    level = ServiceLevel.parse(["ttfe p95 <= 1s", "errors <= 1%"])
    assert level.judge(record(leaver=True, outcome=Outcome.ABANDONED)) == (None, True, None)
    assert level.judge(record(leaver=True, outcome=Outcome.FINISHED)) == (None, True, None)
    assert level.judge(record(leaver=True, outcome=Outcome.FAILED)) == (None, False, None)


def test_a_slow_send_is_a_bad_sample_even_where_the_task_failed_later() -> None:
    level = ServiceLevel.parse(["submit p95 <= 50ms"])
    assert level.judge(record(submit_s=0.02, outcome=Outcome.TIMED_OUT))[0] is True
    assert level.judge(record(submit_s=None, outcome=Outcome.FAILED))[0] is False


def test_a_tier_adds_to_the_common_limits_and_replaces_those_on_the_same_metric() -> None:
    level = ServiceLevel.parse(
        ["ttfe p95 <= 2s", "task p95 <= 5s", "gold: ttfe p95 <= 500ms", "silver: ttfe p95 <= 4s"]
    )
    assert level.tiers == ("", "gold", "silver")
    task = record(ttfe_s=1.0)
    assert [level.standing(task, tier) for tier in level.tiers] == [Standing.GOOD, Standing.SLOW, Standing.GOOD]
    late = record(ttfe_s=3.0)
    assert [level.standing(late, tier) for tier in level.tiers] == [Standing.SLOW, Standing.SLOW, Standing.GOOD]
    assert level.standing(record(ttfe_s=0.1, ended_at=30.0), "silver") is Standing.SLOW
