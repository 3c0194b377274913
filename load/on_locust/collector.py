"""Gathers what the generators measure, in this process or in workers, into one view of the run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sendpoll.core.text.units import short_seconds
from sendpoll.load.engine import Cohort, Order
from sendpoll.load.measure.crash import crash_problems, merged_crashes
from sendpoll.load.measure.health import Health
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.scenario.scenario import Scenario
from sendpoll.load.users.generator import Generator

LATE_REPORT_S: Final = 5.0
"""Workers report each second; one that is silent for so long was too busy to measure, or is gone."""


class Collector(Protocol):
    """Where the numbers of all generators come together."""

    metrics: Metrics
    health: dict[int, Health]

    def begin(self) -> None:
        """The run begins now."""

    def obey(self, order: Order) -> None:
        """Pass an order on to the generators."""

    def collect(self, users: int) -> None:
        """A second has passed."""

    def cohorts(self) -> dict[int, Cohort]:
        """The tasks by step."""

    def is_settled(self) -> bool:
        """Whether all that was measured has come in, once no user is left."""

    @property
    def answered(self) -> int:
        """Exchanges that brought an answer."""

    @property
    def unconnected(self) -> str:
        """Why no server was found; empty if one was."""

    @property
    def samples(self) -> Sequence[Mapping[str, object]]:
        """The first failed exchange of each kind."""

    @property
    def connections(self) -> Mapping[str, int]:
        """How many connections were made to each address of the target's name."""

    @property
    def problems(self) -> Sequence[str]:
        """What makes the run invalid, generator health apart."""


class LocalCollector:
    """The users run in this process."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.metrics = generator.metrics
        self.health = generator.health

    def begin(self) -> None:
        """The run begins now."""
        self._generator.begin(0.0)

    def obey(self, order: Order) -> None:
        """Pass an order on to the generator."""
        self._generator.obey(order.step, order.arrivals)

    def collect(self, users: int) -> None:
        """A second has passed."""
        self._generator.tick(users)
        self.metrics.forgive()

    def cohorts(self) -> dict[int, Cohort]:
        """The tasks by step."""
        generator = self._generator
        return {
            step: Cohort(started, generator.ended[step], generator.moved[step], closed=step < generator.step)
            for step, started in generator.started.items()
        }

    def is_settled(self) -> bool:
        """Whether every task that started has ended."""
        return self._generator.started.total() == self._generator.ended.total()

    @property
    def problems(self) -> Sequence[str]:
        """What makes the run invalid: the crashes of this process."""
        return crash_problems(self._generator.crashes)

    @property
    def answered(self) -> int:
        """Exchanges that brought an answer."""
        return self._generator.answered

    @property
    def unconnected(self) -> str:
        """Why no server was found; empty if one was."""
        return self._generator.unconnected

    @property
    def samples(self) -> Sequence[Mapping[str, object]]:
        """The first failed exchange of each kind."""
        return list(self._generator.samples.values())

    @property
    def connections(self) -> Mapping[str, int]:
        """How many connections were made to each address of the target's name."""
        return self._generator.connections


@dataclass(slots=True)
class ReportedWorker:
    """One worker, as far as it has reported."""

    name: str
    """Its number and its host, for people."""
    reported_at: float
    started: Mapping[int, int] = field(default_factory=dict)
    moved: Mapping[int, int] = field(default_factory=dict)
    ended: Mapping[int, int] = field(default_factory=dict)
    step: int = -1
    users: int = 0
    answered: int = 0
    unconnected: str = ""
    samples: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    connections: Mapping[str, int] = field(default_factory=dict)
    crashes: Mapping[str, int] = field(default_factory=dict)
    lost: bool = False
    was_late: bool = False


class WorkerCollector:
    """The users run in workers, which report each second what they have measured since."""

    def __init__(self, scenario: Scenario) -> None:
        self.metrics = Metrics(scenario.service_level)
        self.health: dict[int, Health] = {}
        self.workers: dict[str, ReportedWorker] = {}
        self._losses: list[str] = []
        self.on_order: Callable[[Order], None] | None = None
        """Passes an order on to the workers."""
        self._began_at = time.perf_counter()
        self._step = 0
        self._stopped_at: float | None = None

    def joined(self, identity: str, name: str) -> None:
        """A worker is there."""
        self.workers[identity] = ReportedWorker(name, time.perf_counter())

    def begin(self) -> None:
        """The run begins now."""
        self._began_at = now = time.perf_counter()
        for worker in self.workers.values():
            worker.reported_at = now

    def obey(self, order: Order) -> None:
        """Know which step the workers are to be in."""
        self._step = order.step
        self._stopped_at = None if order.users else self._stopped_at or time.perf_counter()
        if self.on_order is not None:
            self.on_order(order)

    def reported(self, identity: str, report: Mapping[str, Any], users: int) -> None:
        """A worker has reported."""
        worker = self.workers.get(identity)
        if worker is None or worker.lost:
            return
        self._note_delay(worker)
        self.metrics.merge(report["metrics"])
        for step, message in report["health"].items():
            health = Health.from_message(message)
            self.health.setdefault(step, Health(health.poll_interval_s)).add(health)
        worker.reported_at = time.perf_counter()
        worker.started, worker.moved, worker.ended = report["started"], report["moved"], report["ended"]
        worker.step, worker.users = report["step"], users
        worker.answered, worker.unconnected = report["answered"], report["unconnected"]
        worker.samples = {**report["samples"], **worker.samples}
        worker.crashes, worker.connections = report["crashes"], report["connections"]

    def lost(self, identity: str, how: str) -> None:
        """A worker is gone before its time; what it measured since its last report is gone with it."""
        worker = self.workers.get(identity)
        if worker is None or worker.lost:
            return
        worker.lost = True
        age = short_seconds(time.perf_counter() - self._began_at)
        unbooked = sum(worker.started.values()) - sum(worker.ended.values())
        self._losses.append(
            f"worker {worker.name} {how} {age} into the run; at its last report {unbooked} of its tasks were under way"
        )

    def collect(self, users: int) -> None:
        """A second has passed: see who is late."""
        del users  # each worker reports its own
        for worker in self.workers.values():
            if not worker.lost:
                self._note_delay(worker)

    def _note_delay(self, worker: ReportedWorker) -> None:
        silent = time.perf_counter() - worker.reported_at
        if silent > LATE_REPORT_S and not worker.was_late:
            worker.was_late = True
            self._losses.append(f"worker {worker.name} did not report for {short_seconds(silent)}: it is overloaded")

    def cohorts(self) -> dict[int, Cohort]:
        """The tasks by step. Those that a lost worker had under way stay open for ever."""
        started: Counter[int] = Counter()
        moved: Counter[int] = Counter()
        ended: Counter[int] = Counter()
        for worker in self.workers.values():
            started.update(worker.started)
            moved.update(worker.moved)
            ended.update(worker.ended)
        oldest = min((worker.step for worker in self.workers.values() if not worker.lost), default=self._step)
        return {step: Cohort(count, ended[step], moved[step], closed=step < oldest) for step, count in started.items()}

    def is_settled(self) -> bool:
        """Whether every worker that is left has reported that its tasks have ended."""
        stopped_at = self._stopped_at
        return stopped_at is not None and all(
            worker.reported_at > stopped_at
            and not worker.users
            and sum(worker.started.values()) == sum(worker.ended.values())
            for worker in self.workers.values()
            if not worker.lost
        )

    @property
    def problems(self) -> Sequence[str]:
        """What makes the run invalid: workers that were lost or late, and what crashed in them."""
        crashes = merged_crashes(worker.crashes for worker in self.workers.values())
        return (*self._losses, *crash_problems(crashes))

    @property
    def answered(self) -> int:
        """Exchanges that brought an answer."""
        return sum(worker.answered for worker in self.workers.values())

    @property
    def unconnected(self) -> str:
        """Why no server was found; empty if one was."""
        return next((worker.unconnected for worker in self.workers.values() if worker.unconnected), "")

    @property
    def samples(self) -> Sequence[Mapping[str, object]]:
        """The first failed exchange of each kind."""
        merged: dict[str, Mapping[str, object]] = {}
        for worker in self.workers.values():
            merged = {**worker.samples, **merged}
        return list(merged.values())

    @property
    def connections(self) -> Mapping[str, int]:
        """How many connections all workers made to each address of the target's name."""
        total: Counter[str] = Counter()
        for worker in self.workers.values():
            total.update(worker.connections)
        return dict(total)
