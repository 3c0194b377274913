"""What each task was worth in work, had the server a given discipline: what arrivals and ends as seen come to."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np

from sendpoll.load.plan.queueing.discipline import Discipline
from sendpoll.load.plan.queueing.traces import Floats, Traces


@dataclass(frozen=True, slots=True)
class Work:
    """Spans of work, in seconds at full speed, one entry a task.

    A beginning that contradicts what was seen gives a span that ends below 0.
    """

    first_low: Floats
    first_high: Floats
    """Until the first event."""
    low: Floats
    high: Floats
    """Until the end; `high` is infinite where it was not seen."""


def begins(traces: Traces, slots: float) -> Floats:
    """When each task would have begun: at once, or when the tasks before it had left one of so many slots free."""
    if math.isinf(slots) or len(traces) <= slots:
        return traces.arrived.copy()
    ends = traces.ended
    working: list[float] = []
    found = traces.arrived.copy()
    for place, arrived in enumerate(traces.arrived):
        if traces.refused[place]:
            continue
        if len(working) >= slots:
            found[place] = max(float(arrived), heapq.heappop(working))
        heapq.heappush(working, max(float(ends[place]), float(found[place])))
    return found


def work_of(traces: Traces, discipline: Discipline) -> Work:
    """The work of each task, from how many others were worked on while it was."""
    began = begins(traces, discipline.slots)
    taken = ~traces.refused
    ended = np.maximum(traces.ended, began)
    moments, done = _advance(began[taken], ended[taken], discipline)

    def by(at: Floats) -> Floats:
        finite = np.where(np.isfinite(at), at, 0.0)
        return np.where(np.isfinite(at), np.interp(finite, moments, done), np.inf)

    start = by(began)

    # Before its beginning nothing is done: a span there is kept below 0, where no work lies.
    def since(at: Floats) -> Floats:
        return np.where(at >= began, by(at) - start, at - began)

    return Work(since(traces.first_low), since(traces.first_high), since(traces.end_low), since(traces.end_high))


def _advance(began: Floats, ended: Floats, discipline: Discipline) -> tuple[Floats, Floats]:
    """How far a task that was always worked on had come, at each moment at which their number changed."""
    moments = np.concatenate([began, ended])
    changes = np.concatenate([np.ones_like(began), -np.ones_like(ended)])
    order = np.lexsort((changes, moments))
    moments, working = moments[order], np.cumsum(changes[order])
    speed = discipline.speed(working[:-1]) if len(working) else np.empty(0)
    done = np.concatenate([[0.0], np.cumsum(np.diff(moments) * speed)])
    beyond = 1e6  # what lies behind the last end advances at full speed
    return np.append(moments, moments[-1] + beyond), np.append(done, done[-1] + beyond)
