"""The one rule that decides an objective on counts, for the gates of a run and for the steps of a plan.

An objective is a share of good samples that must be reached. Counts decide it where the whole Wilson interval lies on
one side of that share and the exact binomial agrees: the interval alone would fail up to one in six of the servers that
lie exactly on their objective, since near a share of 1 a single bad sample among few is enough for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from sendpoll.load.measure.statistics import CONFIDENCE, wilson, z_of


class Decision(StrEnum):
    """What counts say of an objective."""

    PASS = "pass"  # noqa: S105 - a decision
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    """Chance could still explain either."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The counts of an objective and what they decide."""

    good: int
    samples: int
    effect: float
    """The design effect: how many of the samples tell as much as one independent sample."""
    low: float
    """The share of good samples, at 95 %: at least."""
    high: float
    """At most."""
    decision: Decision

    @property
    def effective(self) -> float:
        """How many independent samples the samples are worth."""
        return self.samples / self.effect

    @property
    def share(self) -> float | None:
        """The share of samples that were good; None without samples."""
        return self.good / self.samples if self.samples else None


def evidence(share: float, good: int, samples: int, effect: float = 1.0, confidence: float = CONFIDENCE) -> Evidence:
    """What `good` of so many samples say of an objective that at least `share` of all are.

    `confidence` is that of the decision; the interval is always that of 95 %. Without samples nothing is decided; what
    that means is the caller's to say.
    """
    interval = wilson(good / effect, samples / effect)
    decision = _decision(share, good, samples, effect, confidence)
    return Evidence(good, samples, effect, interval.low, interval.high, decision)


def _decision(share: float, good: int, samples: int, effect: float, confidence: float) -> Decision:
    if not samples:
        return Decision.INCONCLUSIVE
    if share >= 1:  # nothing to estimate: there was a bad one or there was none
        return Decision.PASS if good == samples else Decision.FAIL
    reached = reaches(good / effect, samples / effect, share, confidence)
    return {True: Decision.PASS, False: Decision.FAIL, None: Decision.INCONCLUSIVE}[reached]


def reaches(good: float, samples: float, share: float, confidence: float = CONFIDENCE) -> bool | None:
    """Whether at least `share` (below 1) of what was sampled is good; None where chance could still explain either.

    `good` and `samples` may be effective numbers; they are rounded to the side that decides less.
    """
    interval = wilson(good, samples, confidence)
    doubt = (1 - confidence) / 2
    bad = samples - good
    if (
        interval.low >= share
        and binomial_at_most(math.ceil(bad - 1e-9), math.floor(samples + 1e-9), 1 - share) <= doubt
    ):
        return True
    few = math.floor(bad + 1e-9)
    if interval.high < share and binomial_at_most(math.ceil(samples - 1e-9) - few, math.ceil(samples), share) <= doubt:
        return False
    return None


def binomial_at_most(count: int, samples: int, share: float) -> float:
    """The probability of at most `count` hits in so many samples; 1 from the expected number on: that is no tail."""
    if count >= samples * share:
        return 1.0
    log = math.lgamma(samples + 1) - math.lgamma(count + 1) - math.lgamma(samples - count + 1)
    term = total = math.exp(log + count * math.log(share) + (samples - count) * math.log1p(-share))
    for hits in range(count, 0, -1):
        term *= hits / (samples - hits + 1) * (1 - share) / share
        total += term
        if term < total * 1e-12:
            break
    return total


def samples_needed(share: float, confidence: float = CONFIDENCE) -> int:
    """The fewest samples of which all, if good, show that at least `share` are. Raises ValueError for a share of 1."""
    if share >= 1:
        raise ValueError("no number of good samples shows that all are")
    by_interval = z_of(confidence) ** 2 * share / (1 - share)
    exact = math.log((1 - confidence) / 2) / math.log(share)
    return math.ceil(max(by_interval, exact) - 1e-9)
