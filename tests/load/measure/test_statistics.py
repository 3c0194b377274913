from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.load.measure.histogram import Histogram
from sendpoll.load.measure.statistics import (
    batched,
    design_effect,
    quantile_estimate,
    quantiles_over,
    rate_estimate,
    wilson,
)


def test_wilson_against_published_values() -> None:
    """Newcombe 1998, table I: 81 of 263 and 15 of 148, method 3."""
    assert wilson(81, 263).low == pytest.approx(0.2553, abs=5e-5)
    assert wilson(81, 263).high == pytest.approx(0.3662, abs=5e-5)
    assert wilson(15, 148).low == pytest.approx(0.0624, abs=5e-5)
    assert wilson(15, 148).high == pytest.approx(0.1605, abs=5e-5)


@given(st.integers(1, 5000), st.data())
def test_wilson_holds_the_share_and_stays_within_bounds(samples: int, data: st.DataObject) -> None:
    good = data.draw(st.integers(0, samples))
    interval = wilson(good, samples)
    assert 0 <= interval.low <= good / samples <= interval.high <= 1


def test_without_samples_nothing_is_known() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


@given(st.lists(st.integers(0, 50).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))))
def test_batches_lose_no_sample(counts: list[tuple[int, int]]) -> None:
    joined = batched(counts)
    assert sum(good for good, _ in joined) == sum(good for good, _ in counts)
    assert sum(samples for _, samples in joined) == sum(samples for _, samples in counts)
    assert len(joined) <= 21


def test_independent_samples_have_a_design_effect_of_about_one() -> None:
    source = random.Random(7)
    effects = [
        design_effect([(sum(source.random() < 0.9 for _ in range(20)), 20) for _ in range(60)]) for _ in range(200)
    ]
    assert 1.0 <= sum(effects) / len(effects) < 1.25


def test_samples_that_fail_together_have_the_design_effect_of_their_clusters() -> None:
    """All 20 of a batch alike: twenty samples tell what one does."""
    source = random.Random(7)
    effects = [design_effect([(20 * (source.random() < 0.7), 20) for _ in range(200)]) for _ in range(50)]
    assert sum(effects) / len(effects) == pytest.approx(20, rel=0.15)


def test_too_few_batches_say_nothing_of_correlation() -> None:
    assert design_effect([(0, 5), (5, 5)]) == 1.0
    assert design_effect([(5, 5)] * 40) == 1.0
    assert design_effect([]) == 1.0


@pytest.mark.parametrize(("share", "samples"), [(0.5, 60), (0.95, 200), (0.99, 1000)])
def test_the_interval_of_a_quantile_covers_the_truth(share: float, samples: int) -> None:
    """Exponential values; 95 % are asked for, and chance is left 3 standard errors of 400 runs."""
    source = random.Random(11)
    truth = -math.log(1 - share) * 1e6
    covered = 0
    for _ in range(400):
        histogram = Histogram()
        for _ in range(samples):
            histogram.record(int(source.expovariate(1e-6)))
        estimate = quantile_estimate(histogram, share)
        assert estimate is not None
        covered += (estimate.low or 0) * 0.996 <= truth and (estimate.high is None or truth <= estimate.high * 1.004)
    assert covered / 400 >= 0.95 - 3 * math.sqrt(0.05 * 0.95 / 400)


def test_the_end_of_an_interval_beyond_all_samples_is_open() -> None:
    histogram = Histogram()
    for value in range(1, 51):
        histogram.record(value)
    estimate = quantile_estimate(histogram, 0.99)
    assert estimate is not None
    assert estimate.value == 50
    assert estimate.high is None
    assert estimate.low is not None
    assert quantile_estimate(Histogram(), 0.5) is None


def test_a_quantile_over_windows_that_differ_is_less_sure_than_its_count_says() -> None:
    def windows(slow_every: int) -> list[Histogram]:
        made = []
        for index in range(100):
            histogram = Histogram()
            for value in range(20):
                slow = index // 10 % 2 if slow_every == 10 else value % 2
                histogram.record(1000 + value + 5000 * slow)
            made.append(histogram)
        return made

    (together,), (apart,) = quantiles_over(windows(10), [0.4]), quantiles_over(windows(1), [0.4])
    assert together is not None
    assert apart is not None
    assert together.effective < apart.effective / 10
    assert quantiles_over([Histogram()], [0.5]) == [None]


def test_a_rate_and_its_interval() -> None:
    steady = rate_estimate([4] * 100, 1.0)
    assert steady is not None
    assert steady.value == 4
    assert steady.low == pytest.approx(4 - 1.96 * 0.2, abs=0.01)
    bursts = rate_estimate(([40] * 5 + [0] * 45) * 4, 1.0)
    assert bursts is not None
    assert bursts.low is not None
    assert bursts.high is not None
    assert bursts.value == 4
    assert bursts.high - bursts.low > 2
    assert rate_estimate([], 1.0) is None


def test_the_interval_of_a_rate_covers_the_truth() -> None:
    source = random.Random(5)
    covered = 0
    for _ in range(300):
        counts = [sum(source.random() < 0.03 for _ in range(100)) for _ in range(60)]
        estimate = rate_estimate(counts, 1.0)
        assert estimate is not None
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= 3 <= estimate.high
    assert covered >= 300 * 0.93
