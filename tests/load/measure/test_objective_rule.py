from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.load.measure.objective_rule import (
    Decision,
    binomial_at_most,
    evidence,
    reaches,
    samples_needed,
)
from sendpoll.load.measure.slo import parse_objective
from sendpoll.load.measure.statistics import wilson
from sendpoll.load.plan.judge import judged
from sendpoll.load.plan.tallies import Tally
from sendpoll.load.results.gates import decide


@pytest.mark.parametrize(("share", "needed"), [(0.95, 73), (0.99, 381), (0.5, 6)])
def test_samples_needed_is_where_all_good_first_decides(share: float, needed: int) -> None:
    assert samples_needed(share) == needed
    assert reaches(needed, needed, share) is True
    assert reaches(needed - 1, needed - 1, share) is None


def test_one_bad_sample_among_few_does_not_decide_against_a_server() -> None:
    """Wilson's interval for 9 of 10 ends below 99 %, although one run in ten of a server on 99 % looks like that."""
    assert wilson(9, 10).high < 0.99
    assert reaches(9, 10, 0.99) is None
    assert reaches(7, 10, 0.99) is False


@given(st.integers(1, 300), st.data(), st.floats(0.05, 0.95))
def test_the_binomial_tail_is_the_sum_of_its_terms(samples: int, data: st.DataObject, share: float) -> None:
    count = data.draw(st.integers(0, samples))
    terms = [math.comb(samples, hits) * share**hits * (1 - share) ** (samples - hits) for hits in range(count + 1)]
    expected = 1.0 if count >= samples * share else sum(terms)
    assert binomial_at_most(count, samples, share) == pytest.approx(expected, rel=1e-6)


def test_no_number_of_samples_shows_that_all_are_good() -> None:
    with pytest.raises(ValueError, match="all are"):
        samples_needed(1.0)


@pytest.mark.parametrize("text", ["task p50 <= 2s", "task p95 <= 2s", "errors <= 1%", "errors <= 0%"])
def test_a_gate_and_a_step_of_a_plan_say_the_same_of_every_count(text: str) -> None:
    """Each count of good samples up to 40, and up to 1,000 those around the share, where verdicts change."""
    objective = parse_objective(text)
    for samples in range(1, 1001):
        near = 3 + round(4 * math.sqrt(samples))
        least = 0 if samples <= 40 else max(0, round(objective.share * samples) - near)
        for good in range(least, samples + 1):
            assert judged(objective, Tally(good, samples), 1.0).decision is decide(objective, good, samples).verdict


def test_where_all_must_be_good_one_bad_sample_decides() -> None:
    assert evidence(1.0, 10, 10).decision is Decision.PASS
    assert evidence(1.0, 9_999, 10_000).decision is Decision.FAIL


def test_nothing_is_decided_by_nothing() -> None:
    found = evidence(0.95, 0, 0)
    assert (found.decision, found.share, found.low, found.high) == (Decision.INCONCLUSIVE, None, 0.0, 1.0)
