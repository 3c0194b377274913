"""Counts of values in log-linear buckets: cheap to record, exact to merge, quantiles within 0.4 %.

A bucket is 1/128 of a power of two wide, and values below 256 have one each. Two histograms merge by adding counts,
so the quantile of many workers is the quantile of all their values, which no average of quantiles is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

_BITS: Final = 7
"""A bucket holds values that agree in their first 8 bits: the leading one and these."""
_LINEAR: Final = 1 << (_BITS + 1)
MAX_RELATIVE_ERROR: Final = 2.0 ** -(_BITS + 1)
"""Of a quantile against the sample that it stands for: half a bucket."""


def bucket_of(value: int) -> int:
    """The bucket of a value; buckets are numbered in the order of their values, without gaps.

    A value below 0 counts as 0.
    """
    # The numbers stand here, not their names: this runs three times a poll.
    if value <= 0:
        return 0
    shift = value.bit_length() - 8
    return (shift << 7) + (value >> shift) if shift > 0 else value


def bounds_of(bucket: int) -> tuple[int, int]:
    """The least and the greatest value of a bucket."""
    if bucket < _LINEAR:
        return bucket, bucket
    shift = (bucket >> _BITS) - 1
    least = (bucket - (shift << _BITS)) << shift
    return least, least + (1 << shift) - 1


def _middle(bucket: int) -> float:
    least, greatest = bounds_of(bucket)
    return (least + greatest) / 2


class Histogram:
    """How often which whole number of 0 or more was seen; for latencies, microseconds."""

    __slots__ = ("buckets",)

    def __init__(self) -> None:
        self.buckets: defaultdict[int, int] = defaultdict(int)

    def record(self, value: int) -> None:
        """Count a value."""
        self.buckets[bucket_of(value)] += 1

    def record_seconds(self, seconds: float) -> None:
        """Count a duration in microseconds."""
        self.buckets[bucket_of(int(seconds * 1e6))] += 1

    @property
    def count(self) -> int:
        """How many values were recorded."""
        return sum(self.buckets.values())

    @property
    def mean(self) -> float:
        """The mean within the relative error of a bucket; 0 without values."""
        count = self.count
        return sum(_middle(bucket) * times for bucket, times in self.buckets.items()) / count if count else 0.0

    @property
    def maximum(self) -> float:
        """The greatest value, within the error of a bucket; 0 without values."""
        return _middle(max(self.buckets)) if self.buckets else 0.0

    def add(self, other: Histogram) -> None:
        """Count everything that another histogram counted."""
        for bucket, times in other.buckets.items():
            self.buckets[bucket] += times

    def at_rank(self, rank: int) -> float:
        """The value of the `rank`-th smallest sample, the first being 1; ranks beyond either end mean that end.

        Raises ValueError without samples.
        """
        return self.at_ranks([rank])[0]

    def at_ranks(self, ranks: Sequence[int]) -> list[float]:
        """The values at several ranks in one pass; see `at_rank`."""
        ordered = sorted(self.buckets.items())
        if not ordered:
            raise ValueError("an empty histogram has no quantile")
        values = {}
        pending = sorted(set(ranks), reverse=True)
        seen = 0
        for bucket, times in ordered:
            seen += times
            while pending and pending[-1] <= seen:
                values[pending.pop()] = _middle(bucket)
        values.update(dict.fromkeys(pending, _middle(ordered[-1][0])))
        return [values[rank] for rank in ranks]

    def quantile(self, share: float) -> float:
        """The least recorded value that at least `share` of all values do not exceed.

        Raises ValueError without samples.
        """
        return self.at_rank(rank_of(share, self.count))

    def count_to(self, limit: int) -> int:
        """How many values do not exceed `limit`; exact where a bucket ends there, else the bucket is split evenly."""
        full, last = 0, bucket_of(limit)
        for bucket, times in self.buckets.items():
            if bucket < last:
                full += times
        least, greatest = bounds_of(last)
        return full + int(self.buckets.get(last, 0) * (limit - least + 1) / (greatest - least + 1))

    def to_message(self) -> list[int]:
        """Bucket, count, bucket, count, ... by bucket."""
        return [number for pair in sorted(self.buckets.items()) for number in pair]

    @classmethod
    def from_message(cls, message: Sequence[int]) -> Histogram:
        """The histogram that `to_message` was made from."""
        histogram = cls()
        histogram.buckets.update(zip(message[::2], message[1::2], strict=True))
        return histogram

    def __bool__(self) -> bool:
        """Whether anything was recorded."""
        return bool(self.buckets)

    def __eq__(self, other: object) -> bool:
        """Whether both counted the same buckets."""
        return isinstance(other, Histogram) and self.buckets == other.buckets

    __hash__ = None  # type: ignore[assignment]  # it changes with every record


def rank_of(share: float, count: int) -> int:
    """The rank, counted from 1, of the least sample that `share` of `count` samples do not exceed."""
    exact = share * count
    rank = int(exact)
    return max(1, rank if exact - rank < 1e-9 * max(1.0, exact) else rank + 1)
