from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.load.measure.histogram import MAX_RELATIVE_ERROR, Histogram, bounds_of, bucket_of, rank_of

values = st.integers(0, 10**12)


def histogram_of(numbers: list[int]) -> Histogram:
    histogram = Histogram()
    for number in numbers:
        histogram.record(number)
    return histogram


@given(values)
def test_a_value_lies_within_its_bucket(value: int) -> None:
    least, greatest = bounds_of(bucket_of(value))
    assert least <= value <= greatest


@given(values)
def test_the_middle_of_a_bucket_is_within_the_stated_error_of_every_value_in_it(value: int) -> None:
    assert abs(histogram_of([value]).at_rank(1) - value) <= MAX_RELATIVE_ERROR * value


def test_buckets_are_numbered_in_the_order_of_values_without_gaps() -> None:
    before = -1
    for bucket in range(3000):
        least, greatest = bounds_of(bucket)
        assert least == before + 1
        assert bucket_of(least) == bucket_of(greatest) == bucket
        before = greatest


def test_a_value_below_zero_counts_as_zero() -> None:
    assert histogram_of([-5]) == histogram_of([0])


@given(st.lists(st.lists(values)))
def test_merging_is_recording_everything_in_one(parts: list[list[int]]) -> None:
    merged = Histogram()
    for part in parts:
        merged.add(histogram_of(part))
    assert merged == histogram_of([value for part in parts for value in part])


@given(st.lists(values))
def test_the_wire_form_survives_msgpack(numbers: list[int]) -> None:
    histogram = histogram_of(numbers)
    assert Histogram.from_message(msgpack.unpackb(msgpack.packb(histogram.to_message()))) == histogram


@given(st.lists(values, min_size=1), st.floats(0.001, 0.999))
def test_a_quantile_is_that_of_the_sorted_values(numbers: list[int], share: float) -> None:
    true = sorted(numbers)[rank_of(share, len(numbers)) - 1]
    assert abs(histogram_of(numbers).quantile(share) - true) <= MAX_RELATIVE_ERROR * true


@given(st.lists(values, min_size=1))
def test_ranks_beyond_the_ends_mean_the_ends(numbers: list[int]) -> None:
    histogram = histogram_of(numbers)
    beyond = histogram.at_ranks([len(numbers) + 7, 1, len(numbers), -3])
    assert beyond == [histogram.at_rank(len(numbers)), histogram.at_rank(1), histogram.maximum, histogram.at_rank(1)]


@given(st.lists(values), values)
def test_counting_up_to_a_limit_is_wrong_by_at_most_the_bucket_of_the_limit(numbers: list[int], limit: int) -> None:
    least, greatest = bounds_of(bucket_of(limit))
    count = histogram_of(numbers).count_to(limit)
    assert sum(number < least for number in numbers) <= count <= sum(number <= greatest for number in numbers)


def test_counting_up_to_the_end_of_a_bucket_is_exact() -> None:
    assert histogram_of([1000, 1003, 1004]).count_to(1003) == 2


def test_seconds_are_recorded_as_microseconds() -> None:
    histogram = Histogram()
    histogram.record_seconds(0.000123)
    assert histogram == histogram_of([123])


def test_mean_and_maximum() -> None:
    assert histogram_of([10, 20, 60]).mean == 30
    assert histogram_of([10, 20, 60]).maximum == 60
    assert Histogram().mean == Histogram().maximum == 0


def test_an_empty_histogram_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="no quantile"):
        Histogram().quantile(0.5)


@pytest.mark.parametrize(("share", "count", "rank"), [(0.95, 100, 95), (0.95, 20, 19), (0.99, 10, 10), (0.5, 1, 1)])
def test_the_rank_of_a_quantile_is_not_moved_by_rounding(share: float, count: int, rank: int) -> None:
    assert rank_of(share, count) == rank
