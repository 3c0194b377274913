"""How much work tasks are: a distribution fitted to spans of work, of which the ends are what polls let see.

A mixture of what was seen, each smoothed on a logarithmic scale. It makes no guess at a shape, so times in two
clusters stay two; its bandwidth shrinks with the number of tasks. Tasks that are still open count by Kaplan's and
Meier's estimator: without them long tasks would be missing, which are those that have not ended yet. A small share
lies anywhere, so that one odd task does not decide between two models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sendpoll.load.plan.queueing.traces import Bools, Floats

LEAST = 1e-3
"""Seconds: less work than that is none."""
_ODD = 0.02
"""The share of tasks that may be anything: a server stalls, a connection is slow."""
_ANYWHERE = np.log(1e6)
"""An odd one is as likely to be of any magnitude: no unit of time, and so no speed, is favoured by it."""
_LEAST_BANDWIDTH = 0.01
_NORMAL = math.pi / math.sqrt(3)
"""A logistic kernel of this scale has the deviation of a normal one, and a distribution function of one exponential."""
_CENTRES = 300
"""Kernels: more tasks than that say the same for more time."""
BEYOND = 0.35
"""By how much longer, as a logarithm, what is still open will take that is longer than anything that has ended."""


def survival_weights(values: Floats, is_open: Bools, weights: Floats) -> tuple[Floats, float]:
    """The probability at each value by Kaplan and Meier, in the values' order, and what lies beyond all of them.

    Open ones have none of their own: theirs is spread over the longer ones. `weights` are positive.
    """
    order = np.lexsort((is_open, values))
    ordered = weights[order]
    at_risk = np.cumsum(ordered[::-1])[::-1]
    leaves = np.where(is_open[order], 0.0, ordered / at_risk)
    survives = np.concatenate([[1.0], np.cumprod(np.clip(1.0 - leaves, 0.0, 1.0))])
    found = np.empty(len(values))
    found[order] = survives[:-1] * leaves
    return found, float(survives[-1])


@dataclass(frozen=True, slots=True)
class Demand:
    """A distribution of work."""

    centres: Floats
    """Logarithms of seconds."""
    weights: Floats
    bandwidth: float

    @classmethod
    def of(cls, low: Floats, high: Floats) -> Demand:
        """Fitted to the middles of spans; those of no work are left out."""
        there = high > LEAST
        low, high = np.maximum(low[there], LEAST), high[there]
        is_open = np.isinf(high)
        if is_open.all():
            return cls(np.zeros(1), np.ones(1), 2.0)
        logs = np.log(np.where(is_open, low, (low + high) / 2))
        weights, beyond = survival_weights(logs, is_open, np.ones(len(logs)))
        seen = logs[~is_open]
        width = float(np.median(1.0 - low[~is_open] / high[~is_open]))
        centres, weights = _thinned(np.append(seen, logs.max() + BEYOND), np.append(weights[~is_open], beyond))
        bandwidth = max(_LEAST_BANDWIDTH, 0.9 * _spread(seen) * len(seen) ** -0.2, 0.25 * width)
        return cls(centres, weights, bandwidth if len(seen) > 1 else max(0.3, bandwidth))

    def score(self, low: Floats, high: Floats) -> Floats:
        """The logarithm of the probability of each span."""
        decades = np.log(np.maximum(high, LEAST) / np.maximum(low, LEAST)) / _ANYWHERE
        anywhere = np.clip(decades, 1e-4, 1.0)
        found: Floats = np.log(_ODD * anywhere + (1 - _ODD) * self._within(low, high))
        return found

    def _within(self, low: Floats, high: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            upper = np.log(np.maximum(high, 0.0))[:, None] - self.centres[None, :]
            lower = np.log(np.maximum(low, 0.0))[:, None] - self.centres[None, :]
        inside: Floats = ((_below(upper / self.bandwidth) - _below(lower / self.bandwidth)) * self.weights).sum(axis=1)
        return np.maximum(inside, 0.0)


def _spread(logs: Floats) -> float:
    """The deviation, or what the quartiles make of it where a few odd ones widen it."""
    quartiles = float(np.subtract(*np.percentile(logs, [75, 25]))) / 1.34
    deviation = float(np.std(logs))
    return min(deviation, quartiles) if quartiles > 0 else deviation


def _thinned(centres: Floats, weights: Floats) -> tuple[Floats, Floats]:
    order = np.argsort(centres)
    centres, weights = centres[order], weights[order]
    if len(centres) <= _CENTRES:
        return centres, weights
    starts = np.linspace(0, len(centres), _CENTRES, endpoint=False).astype(int)
    total = np.add.reduceat(weights, starts)
    means = np.add.reduceat(weights * centres, starts) / np.maximum(total, 1e-300)
    return np.where(total > 0, means, centres[starts]), total


def _below(deviations: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(_NORMAL * deviations, -700, 700)))
    return found
