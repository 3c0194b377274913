"""What a run has measured so far, as counters, gauges and histograms that any tool knows.

They are the run's own: where there are workers, the master has what all of them measured, each task once.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sendpoll.load.engine import View
from sendpoll.load.measure.health import Health, overall
from sendpoll.load.measure.histogram import Histogram, bucket_of
from sendpoll.load.measure.metrics import Metrics

PREFIX: Final = "sendpoll_load_"
BOUNDS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
"""Seconds: from a poll on the same machine to a task of ten minutes."""
_BUCKETS: Final = tuple(bucket_of(round(bound * 1e6)) for bound in BOUNDS_S)
_TIMES: Final = {
    "ttfe": ("ttfe_seconds", "From when a message was due to its first event."),
    "task": ("task_seconds", "From when a message was due to the final status."),
    "stall": ("stall_seconds", "The longest wait of a task between two polls that brought something."),
    "submit": ("submit_seconds", "From the send of a message to its answer."),
    "poll": ("poll_seconds", "From when a poll was due to its answer."),
    "lag": ("generator_lag_seconds", "How late the generator's event loop woke."),
    "slip": ("generator_slip_seconds", "How late polls left through the generator."),
}
_COUNTS: Final = {
    "started": ("tasks_started", "Tasks that were begun."),
    "empty_polls": ("polls_empty", "Polls that brought nothing."),
    "events": ("events", "Events that polls brought."),
}


@dataclass(frozen=True, slots=True)
class LiveNumber:
    """A counter or a gauge: a value for each value of its label, or one without."""

    name: str
    told: str
    kind: Literal["counter", "gauge"]
    label: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class LiveTimes:
    """A histogram of seconds."""

    name: str
    told: str
    counts: tuple[int, ...]
    """How many did not exceed each of `BOUNDS_S` and exceeded the one before; the last exceeded all."""
    total: float
    """Seconds together, within half a percent."""

    @property
    def cumulated(self) -> tuple[int, ...]:
        """How many did not exceed each bound; the last is all."""
        return tuple(itertools.accumulate(self.counts))


LiveFamily = LiveNumber | LiveTimes


def numbers_of(metrics: Metrics, health: Mapping[int, Health], users: int, problems: int) -> tuple[LiveFamily, ...]:
    """Everything, as it stands now. `problems` are those of the engine, beside the health of the generators."""
    fared = overall(health)
    return (*_measured(metrics), *_generator(fared, users, problems + len(fared.problems)))


def numbers_of_view(view: View) -> tuple[LiveFamily, ...]:
    """The numbers of a run that goes on."""
    return numbers_of(view.metrics, view.health, view.users, len(view.problems))


def _measured(metrics: Metrics) -> Iterator[LiveFamily]:
    total = metrics.total
    for name, (as_told, told) in _TIMES.items():
        yield _times(f"{PREFIX}{as_told}", told, total.histograms[name])
    ledger = metrics.ledger.as_json()
    booked = {name: float(count) for name, count in ledger.items() if name not in {"started", "balances"}}
    yield LiveNumber(f"{PREFIX}tasks", "Tasks by how they ended; those dropped never began.", "counter", "as", booked)
    for name, (as_told, told) in _COUNTS.items():
        yield LiveNumber(f"{PREFIX}{as_told}", told, "counter", "", {"": float(total.counts[name])})
    yield LiveNumber(f"{PREFIX}polls", "Polls that were answered.", "counter", "", {"": float(total.polls)})
    for name, label, told, counts in (
        ("refusals", "kind", "Calls that the server took no more of, by what it said.", total.refusals),
        ("errors", "kind", "Exchanges that failed, by how.", total.errors),
        ("violations", "requirement", "Requirements that were broken.", total.violations),
    ):
        values = {kind: float(count) for kind, count in counts.items()}
        yield LiveNumber(f"{PREFIX}{name}", told, "counter", label, values)


def _generator(fared: Health, users: int, problems: int) -> Iterator[LiveNumber]:
    yield LiveNumber(f"{PREFIX}users", "Users at work.", "gauge", "", {"": float(users)})
    used = {name: processor.cpu for name, processor in fared.processors.items()}
    yield LiveNumber(f"{PREFIX}generator_cpu_cores", "What a process of the generator used.", "gauge", "process", used)
    told = "Why what was measured cannot be trusted; 0 in a sound run."
    yield LiveNumber(f"{PREFIX}generator_problems", told, "gauge", "", {"": float(problems)})


def _times(name: str, told: str, histogram: Histogram) -> LiveTimes:
    counts = [0] * (len(BOUNDS_S) + 1)
    for bucket, times in histogram.buckets.items():
        counts[bisect_left(_BUCKETS, bucket)] += times
    return LiveTimes(name, told, tuple(counts), histogram.mean * sum(counts) / 1e6)
