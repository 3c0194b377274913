"""One question to the model, and its answer: from every task so far to the level at which each objective gives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.queueing.discipline import Discipline
from sendpoll.load.plan.queueing.fit import Fit, fit
from sendpoll.load.plan.queueing.oddness import oddness
from sendpoll.load.plan.queueing.predict import Limits, Prediction, Users
from sendpoll.load.plan.queueing.traces import Floats, Traces

_CLEARED = 30
"""Candidates that are asked whether the tasks are odd under them: the likeliest. With few tasks many are alike, and the
server's own is not among the first."""
_WIDER = 1.3
"""By how much wider intervals are told than the draws say: none of the imagined servers is quite the real one."""
_LEAST_DOUBT = 0.04
"""To either side, as a share: tasks that all take the same go on in step, and how they do depends on who came when."""


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that the model is told."""

    traces: Traces
    limits: tuple[Limits, ...]
    """Of the objectives, in their order."""
    users: Users
    highest: int
    """No more users are asked about."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class CapacityForecast:
    """The model's answer. Levels are users."""

    discipline: Discipline
    """The likeliest."""
    weight: float
    """How much speaks for it, of 1."""
    service_s: float
    """The work of a task, median: what it takes alone."""
    tasks: int
    """From how many it was learnt."""
    most_at_once: int
    """Tasks in the system at once that were seen."""
    capacities: tuple[Floats, ...]
    """An objective's crossing on each imagined server; infinite where it never gives."""
    oddness: float = 1.0
    """How seldom tasks as odd as these are seen where the server's discipline is one of the model's, of 1."""
    odd_in: str = ""
    """What is odd, in a clause."""

    @property
    def unbounded(self) -> float:
        """The share of imagined servers that give nowhere: how little is known of the server's limit."""
        return float(np.mean(np.isinf(np.min(self.capacities, axis=0))))


def forecast(question: Question) -> CapacityForecast:
    """Fit, imagine servers, and find where each objective gives on them."""
    found = fit(question.traces)
    prediction = Prediction(found, question.users, question.seed)
    odd, depends = max(oddness(found.traces, one.work) for one in found.candidates[:_CLEARED])
    return CapacityForecast(
        discipline=found.best.discipline,
        weight=_weight(found),
        service_s=_median_work(found),
        tasks=len(found.traces),
        most_at_once=found.most_at_once,
        capacities=tuple(prediction.capacities(limits, question.highest) for limits in question.limits),
        oddness=odd,
        odd_in=f"what the same task takes differs {depends}, whichever way the server shares itself" if depends else "",
    )


def _weight(found: Fit) -> float:
    """Of all candidates that say the same of slots and speed."""
    best = found.best.discipline
    alike = (one.discipline.slots == best.slots and one.discipline.kind is best.kind for one in found.candidates)
    return sum(weight for weight, same in zip(found.weights, alike, strict=True) if same)


def _median_work(found: Fit) -> float:
    work = found.best.work
    seen = np.isfinite(work.high) & (work.high > 0)
    return float(np.median((np.maximum(work.low, 0) + work.high)[seen] / 2)) if seen.any() else math.nan


def interval(draws: Floats, most_seen: int) -> Capacity:
    """The median of draws, of which some are infinite, and where 95 % of them lie.

    Where most are, the server is known to hold no more than so many that were seen at once.
    """
    level, low, high = (_quantile(draws, share) for share in (0.5, 0.025, 0.975))
    if math.isinf(level):
        return Capacity(None, min(low, float(most_seen)), None)
    if level <= 0:
        return Capacity(0.0, 0.0, None if math.isinf(high) else high)
    low = min(level * (low / level) ** _WIDER, level * (1 - _LEAST_DOUBT))
    high = max(level * (high / level) ** _WIDER, level * (1 + _LEAST_DOUBT))
    return Capacity(level, low, None if math.isinf(high) else high)


def _quantile(draws: Floats, share: float) -> float:
    ordered: Sequence[float] = np.sort(draws).tolist()
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
