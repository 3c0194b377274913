"""What the poll interval costs: the same users at the answer, polling more and less often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sendpoll.load.measure.statistics import wilson
from sendpoll.load.plan.steps import Step
from sendpoll.load.plan.tallies import Point, Tally

INTERVALS: Final = (0.25, 0.5, 1.0)
"""Seconds: twice as often as the published clients, as they do, and half as often."""
_MOST_SHIFT: Final = 1.5
"""A capacity is told from its neighbour's only so far away."""


@dataclass(frozen=True, slots=True)
class PollCost:
    """One poll interval at one level."""

    interval_s: float
    level: float
    tasks: int
    polls_per_task: float
    empty_share: float
    """Share of polls that brought nothing."""
    requests_per_second: float
    attainment: float
    """Share of tasks that met every objective, with its interval at 95 %."""
    low: float
    high: float
    ttfe_p95_s: float | None
    task_p95_s: float | None
    capacity: float | None
    """The level that would meet the objectives with this interval; None where the search saw no slope to tell by."""
    capacity_low: float | None
    capacity_high: float | None


@dataclass(frozen=True, slots=True)
class Slope:
    """How attainment falls around the answer: log-odds over the logarithm of the level."""

    level: float
    share: float
    """The share that is needed there."""
    steepness: float
    """Positive: log-odds lost for each unit of log level."""


def slope_at(points: Sequence[Point], share: float, level: float) -> Slope | None:
    """The slope between the levels around the answer; None where they do not fall, or there are not two."""
    around = [point for point in points if point.total and level / _MOST_SHIFT <= point.level <= level * _MOST_SHIFT]
    weights = [point.total / point.effect for point in around]
    if len(around) < 2:
        return None
    odds = [_log_odds(point.good, point.total) for point in around]
    logs = [math.log(point.level) for point in around]
    total = sum(weights)
    mean_x = sum(weight * x for weight, x in zip(weights, logs, strict=True)) / total
    mean_y = sum(weight * y for weight, y in zip(weights, odds, strict=True)) / total
    spread = sum(weight * (x - mean_x) ** 2 for weight, x in zip(weights, logs, strict=True))
    common = sum(weight * (x - mean_x) * (y - mean_y) for weight, x, y in zip(weights, logs, odds, strict=True))
    if spread <= 0 or common >= 0:
        return None
    return Slope(level, share, -common / spread)


def poll_cost(interval_s: float, step: Step, tally: Tally, effect: float, slope: Slope | None) -> PollCost:
    """What a step with this poll interval showed; the capacity follows from how far off the share it was."""
    found = wilson(tally.good / effect, tally.total / effect)
    low, high = found.low, found.high
    polls = sum(record.polls for record in step.records)
    empty = sum(record.empty_polls for record in step.records)
    shifted: list[float | None] = [None, None, None]
    if slope is not None and tally.total:
        ends = ((tally.good, tally.total), (low * tally.total, tally.total), (high * tally.total, tally.total))
        shifted = [_shifted(slope, step.level, good, total) for good, total in ends]
    return PollCost(
        interval_s=interval_s,
        level=step.level,
        tasks=step.started,
        polls_per_task=polls / len(step.records) if step.records else 0.0,
        empty_share=empty / polls if polls else 0.0,
        requests_per_second=step.requests_per_second,
        attainment=tally.good / tally.total if tally.total else 0.0,
        low=low,
        high=high,
        ttfe_p95_s=quantile([record.ttfe_s for record in step.records if record.ttfe_s is not None], 0.95),
        task_p95_s=quantile([record.elapsed_s for record in step.records], 0.95),
        capacity=shifted[0],
        capacity_low=shifted[1],
        capacity_high=shifted[2],
    )


def _shifted(slope: Slope, level: float, good: float, total: int) -> float:
    needed = math.log(slope.share / (1 - slope.share))
    reach = math.log(_MOST_SHIFT)
    shift = (_log_odds(good, total) - needed) / slope.steepness
    return level * math.exp(min(reach, max(-reach, shift)))


def _log_odds(good: float, total: int) -> float:
    return math.log((good + 0.5) / (total - good + 0.5))


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least this share of them does not exceed; None without any."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]
