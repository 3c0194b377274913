"""Shapes of work: what a sample of tasks says of those that are longer than nearly all of it.

A percentile is decided by the few longest tasks, of which a sample of fifty has two or three. A shape that agrees with
all fifty says more. Four are held against what was seen: as it was seen, log-normal, Weibull (exponential among them)
and Pareto; each is as likely as the tasks are under it.
"""

from __future__ import annotations

import math

import numpy as np

from sendpoll.load.plan.queueing.traces import Floats

_EULER = 0.5772156649
_LEAST_SPREAD = 0.02
_FEWEST = 5
"""From fewer tasks than that no shape is told."""
_AS_SEEN = 2.0
"""What speaks for no shape in advance, as a logarithm: work in two clusters has none of these."""
_SMOOTHING = 0.3
"""Of the bandwidth at which a sample's density is best told: a wider one makes work more variable than it is."""


def shaped(whole: Floats, seen: Floats, rng: np.random.Generator) -> Floats:
    """Work drawn from a shape with the spread and the middle of `whole`, a redrawn sample.

    `seen` are logarithms of what was seen, which the shape is chosen by.
    """
    logs = np.log(whole)
    centre, spread = float(np.mean(logs)), max(_LEAST_SPREAD, float(np.std(logs)))
    bandwidth = 0.9 * spread * len(seen) ** -0.2
    as_seen: Floats = whole * np.exp(_SMOOTHING * bandwidth * rng.normal(size=len(whole)))
    if len(seen) < _FEWEST:
        return as_seen
    own = _density_as_seen(seen, max(bandwidth, 0.05 * _LEAST_SPREAD)) + _AS_SEEN
    likely = np.array([own, _log_normal(seen, centre, spread), _weibull(seen, centre, spread), _pareto(seen)])
    weights = np.exp(likely - likely.max())
    drawn: Floats = as_seen
    match rng.choice(4, p=weights / weights.sum()):
        case 1:
            drawn = np.exp(centre + spread * rng.normal(size=len(whole)))
        case 2:
            scale = spread * math.sqrt(6) / math.pi
            drawn = np.exp(centre + scale * (_EULER + np.log(rng.exponential(size=len(whole)))))
        case 3:
            least = float(np.quantile(logs, 0.002))
            drawn = np.exp(least + max(_LEAST_SPREAD, centre - least) * rng.exponential(size=len(whole)))
    return drawn


def _density_as_seen(seen: Floats, bandwidth: float) -> float:
    """Each task by the kernels of the others."""
    some = seen if len(seen) <= 400 else np.random.default_rng(0).choice(seen, 400, replace=False)
    gaps = (some[:, None] - some[None, :]) / bandwidth
    kernels = np.exp(-0.5 * gaps**2)
    np.fill_diagonal(kernels, 0.0)
    density = kernels.sum(axis=1) / (len(some) - 1) / (bandwidth * math.sqrt(2 * math.pi))
    return float(np.sum(np.log(np.maximum(density, 1e-6)))) * len(seen) / len(some)


def _log_normal(seen: Floats, centre: float, spread: float) -> float:
    z = (seen - centre) / spread
    return float(np.sum(-0.5 * z**2 - math.log(spread * math.sqrt(2 * math.pi))))


def _weibull(seen: Floats, centre: float, spread: float) -> float:
    """A Gumbel distribution of logarithms, by its moments."""
    scale = spread * math.sqrt(6) / math.pi
    z = np.clip((seen - centre) / scale - _EULER, -50, 5)
    return float(np.sum(z - np.exp(z) - math.log(scale)))


def _pareto(seen: Floats) -> float:
    """An exponential distribution of logarithms above the least, by its likelihood; one task is lost to the least."""
    scale = max(_LEAST_SPREAD, float(np.mean(seen) - np.min(seen)))
    return -(len(seen) - 1) * (math.log(scale) + 1)
