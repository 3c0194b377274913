"""Whether any discipline explains the tasks: under the right one their work has nothing to do with when they came.

Work is what a task is, whatever the server did; so under the server's own discipline it depends neither on the time,
nor on how many others there were, nor on how much the task before it was. Each is tested by Cox's score test, which
compares a task with those that were at least as much work, so open tasks count as what they are. Cold starts,
autoscaling, warming caches, cliffs and noisy neighbours all show, since work then depends on when it was done.
"""

from __future__ import annotations

import math

import numpy as np

from sendpoll.load.plan.queueing.demand import LEAST
from sendpoll.load.plan.queueing.traces import Floats, Traces
from sendpoll.load.plan.queueing.work import Work

_BLUR = 0.12
"""As a logarithm: differences in work that polls alone make, or that change no answer by a tenth, are none."""
_LEAST_TASKS = 12
_SPLITS = (0.25, 0.5, 0.75)
OVER_TIME, OVER_LOAD, IN_STRETCHES = "over time", "with load", "in stretches"


def oddness(traces: Traces, work: Work) -> tuple[float, str]:
    """How seldom tasks as dependent as these are seen where work is independent, of 1, and what it depends on."""
    there = ~traces.refused & (work.high > LEAST)
    if np.isfinite(work.high[there]).sum() < _LEAST_TASKS:
        return 1.0, ""
    is_open = np.isinf(work.high[there])
    low, high = np.maximum(work.low[there], LEAST), work.high[there]
    logs = np.log(np.where(is_open, low, (low + high) / 2))
    blurred = logs + _BLUR * np.random.default_rng(len(logs)).normal(size=len(logs)) * ~is_open
    arrived, ended = traces.arrived[there], traces.ended[there]
    tests = [(_score_test(blurred, is_open, _ranks(arrived)), OVER_TIME)]
    tests += [(_score_test(blurred, is_open, (_ranks(arrived) > split).astype(float)), OVER_TIME) for split in _SPLITS]
    tests.append((_score_test(blurred, is_open, _ranks(_company(arrived, ended))), OVER_LOAD))
    tests.append((_serial(blurred[~is_open], ended[~is_open]), IN_STRETCHES))
    worst, what = max(tests)
    return min(1.0, len(tests) * math.erfc(worst / math.sqrt(2))), what


def _ranks(values: Floats) -> Floats:
    ranks = np.empty(len(values))
    ranks[np.argsort(values, kind="stable")] = np.arange(len(values)) / len(values)
    return ranks


def _company(arrived: Floats, ended: Floats) -> Floats:
    """How many others were there when each came."""
    before = np.searchsorted(np.sort(arrived), arrived, side="left")
    gone = np.searchsorted(np.sort(ended), arrived, side="left")
    found: Floats = (before - gone).astype(float)
    return found


def _score_test(logs: Floats, is_open: np.ndarray, covariate: Floats) -> float:
    """Deviations by which those that ended differ in the covariate from all that were at least as much work."""
    order = np.lexsort((is_open, logs))
    z, ends = covariate[order], ~is_open[order]
    at_risk = np.arange(len(z), 0, -1)
    mean = np.cumsum(z[::-1])[::-1] / at_risk
    variance = np.maximum(0.0, np.cumsum((z * z)[::-1])[::-1] / at_risk - mean**2)
    total = float(np.sum(variance[ends]))
    return abs(float(np.sum((z - mean)[ends]))) / math.sqrt(total) if total > 1e-9 else 0.0


def _serial(logs: Floats, ended: Floats) -> float:
    """Deviations by which a task's rank goes with that of the task that ended before it."""
    ranks = _ranks(logs)[np.argsort(ended, kind="stable")]
    ranks = ranks - ranks.mean()
    total = float(np.sum(ranks**2))
    return abs(float(np.sum(ranks[1:] * ranks[:-1]))) / total * math.sqrt(len(ranks)) if total > 0 else 0.0
