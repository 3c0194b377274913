"""How sure a number is: intervals for shares, quantiles and rates, allowing for samples that hang together.

Tasks of one second share that second's server, so a thousand of them tell less than a thousand independent ones. The
design effect says how many times less, from how much batches of neighbours differ from one another.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from sendpoll.load.measure.histogram import Histogram, rank_of

CONFIDENCE: Final = 0.95
BATCHES: Final = 20
MIN_BATCHES: Final = 10
"""With fewer, how much they differ is itself not known."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the true value lies, at the confidence asked for."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measured value, its interval, and how many independent samples it is worth."""

    value: float
    low: float | None
    """None: below everything that was seen."""
    high: float | None
    """None: beyond everything that was seen; more samples would show it."""
    effective: float


def z_of(confidence: float = CONFIDENCE) -> float:
    """How many standard deviations a two-sided interval of that confidence reaches."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(good: float, samples: float, confidence: float = CONFIDENCE) -> Interval:
    """The interval of a share of which `good` of `samples` were seen; both may be effective numbers, not whole.

    Without samples it is all of 0 to 1.
    """
    if samples <= 0:
        return Interval(0.0, 1.0)
    z = z_of(confidence)
    share = good / samples
    middle = (share + z * z / (2 * samples)) / (1 + z * z / samples)
    reach = z / (1 + z * z / samples) * math.sqrt(share * (1 - share) / samples + z * z / (4 * samples**2))
    low = 0.0 if good <= 0 else max(0.0, middle - reach)
    return Interval(low, 1.0 if good >= samples else min(1.0, middle + reach))


def batched(counts: Sequence[tuple[int, int]], batches: int = BATCHES) -> list[tuple[int, int]]:
    """Pairs (good, samples) of consecutive spans, joined into about `batches` of about equal numbers of samples."""
    total = sum(samples for _, samples in counts)
    size = max(1.0, total / batches)
    joined: list[tuple[int, int]] = []
    good = seen = passed = 0
    for good_here, here in counts:
        good, seen = good + good_here, seen + here
        if passed + seen >= size * (len(joined) + 1):
            joined.append((good, seen))
            passed += seen
            good = seen = 0
    if seen:
        joined.append((good, seen))
    return joined


def design_effect(counts: Sequence[tuple[int, int]]) -> float:
    """By how much the variance of a share exceeds that of as many independent samples; never below 1.

    `counts` are pairs (good, samples) of consecutive spans of time. With fewer than 10 batches of samples, or where
    all samples are alike, nothing can be said and it is 1.
    """
    batches = [(good, samples) for good, samples in batched(counts) if samples]
    total = sum(samples for _, samples in batches)
    if len(batches) < MIN_BATCHES:
        return 1.0
    share = sum(good for good, _ in batches) / total
    if share in {0.0, 1.0}:
        return 1.0
    surplus = [good - share * samples for good, samples in batches]
    squares = sum(one * one for one in surplus)
    between = squares * len(batches) / (len(batches) - 1)
    return max(1.0, between / (total * share * (1 - share)) * _memory(surplus, squares))


def _memory(surplus: Sequence[float], squares: float) -> float:
    """By how much more a sum varies because its batches resemble the ones before: a slow drift outlasts a batch.

    As of a process whose correlation fades by one factor from batch to batch; 1 where chance explains the likeness.
    """
    if not squares:
        return 1.0
    likeness = min(0.9, sum(one * after for one, after in itertools.pairwise(surplus)) / squares)
    by_chance = NormalDist().inv_cdf(0.95) / math.sqrt(len(surplus))
    return (1 + likeness) / (1 - likeness) if likeness > by_chance else 1.0


def quantile_estimate(
    histogram: Histogram, share: float, effect: float = 1.0, confidence: float = CONFIDENCE
) -> Estimate | None:
    """A quantile and its interval by order statistics: no assumption on how the values are distributed.

    `effect` is the design effect of "not beyond the quantile". None without samples.
    """
    count = histogram.count
    if not count:
        return None
    reach = z_of(confidence) * math.sqrt(share * (1 - share) * effect / count)
    lower = math.floor(count * (share - reach))
    upper = math.ceil(count * (share + reach)) + 1
    low, value, high = histogram.at_ranks([max(1, lower), rank_of(share, count), min(count, upper)])
    return Estimate(value, low if lower >= 1 else None, high if upper <= count else None, count / effect)


def quantiles_over(
    windows: Sequence[Histogram], shares: Sequence[float], confidence: float = CONFIDENCE
) -> list[Estimate | None]:
    """Quantiles of all windows together, each with the design effect that their order in time shows."""
    total = Histogram()
    for window in windows:
        total.add(window)
    if not total:
        return [None] * len(shares)
    counts = [window.count for window in windows]
    estimates = []
    for share in shares:
        value = int(total.quantile(share))
        within = [window.count_to(value) for window in windows]
        effect = design_effect(list(zip(within, counts, strict=True)))
        estimates.append(quantile_estimate(total, share, effect, confidence))
    return estimates


def rate_estimate(events: Sequence[int], seconds: float, confidence: float = CONFIDENCE) -> Estimate | None:
    """Events a second, from the counts of consecutive spans of equal length, `seconds` long each.

    Its interval comes from how much batches of spans differ, but is at least that of independent events (Poisson).
    None without spans.
    """
    if not events:
        return None
    size = max(1, len(events) // BATCHES)
    batches = [sum(events[at : at + size]) for at in range(0, len(events) - size + 1, size)]
    total, time = sum(events), len(events) * seconds
    effect = 1.0
    if len(batches) >= MIN_BATCHES and total:
        mean = sum(batches) / len(batches)
        effect = max(1.0, sum((batch - mean) ** 2 for batch in batches) / (len(batches) - 1) / mean)
    reach = z_of(confidence) * math.sqrt(max(total, 1) * effect)
    return Estimate(total / time, max(0.0, total - reach) / time, (total + reach) / time, total / effect)
