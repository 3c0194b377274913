"""What all users of one process share: the target, the clock, the measurements, the step that is under way."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sendpoll.core.target.tokens import Tokens
from sendpoll.core.target.url import TargetError
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.engine import Workload
from sendpoll.load.http.client import HttpClient, Watchdog
from sendpoll.load.http.request import RequestBuilder
from sendpoll.load.http.response import HeadReader
from sendpoll.load.http.transport import Connector
from sendpoll.load.measure.crash import crash_text
from sendpoll.load.measure.health import Health
from sendpoll.load.measure.machine_limits import Limit, machine_limits
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.users.allowance import Allowance
from sendpoll.load.users.arrivals import Arrivals
from sendpoll.load.users.canaries import Markers
from sendpoll.load.users.overlap_test import Contrast
from sendpoll.load.users.probe import ClockProbe, LagProbe, ProcessProbe
from sendpoll.load.users.throttling import Throttling
from sendpoll.load.users.validation import ResponseJudge

_RENEWAL_PAUSE_S = 30.0
"""Seconds for which a command is not run again that made no token which a server takes."""
USERS_PER_GENERATOR = 1_000_000
"""User numbers of the second generator begin here, and so on."""


class Generator:
    """One process that generates load: the only one, or a worker."""

    def __init__(self, workload: Workload, run_name: str, index: int = 0) -> None:
        self.workload = workload
        self.scenario = workload.scenario
        self.metrics = Metrics(workload.scenario.service_level)
        self.judge = ResponseJudge()
        self._tokens = Tokens(workload.target)
        self._request_builders: dict[str, RequestBuilder] = {}
        """By the token under which their requests go."""
        self.redactor = Redactor(workload.target.secrets)
        self._run_name = run_name
        self.markers = Markers(self.random("markers", index))
        self.contrast = Contrast()
        self.arrivals = Arrivals(self.random("arrivals", index), self._drop)
        self.allowance = Allowance(workload.max_messages)
        self.on_task: Callable[[TaskRecord], None] | None = None
        """Told of every task that has ended."""
        self.is_open = False
        """Whether users wait for arrivals, in place of thinking."""
        self.answered = 0
        """Exchanges that brought an answer, whichever."""
        self.samples: dict[str, dict[str, object]] = {}
        """The first failed exchange of each kind."""
        self.unrenewed = ""
        """Why a token that was refused could not be renewed; empty while none could not."""
        self._renews_from = 0.0
        self.unconnected = ""
        """Why the last exchange found no server; empty once one did."""
        self.crashes: Counter[str] = Counter()
        """Exceptions of ours by their text: each makes the run invalid, and none is the server's."""
        self.step = 0
        self.started: Counter[int] = Counter()
        self.moved: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()
        self.health: dict[int, Health] = {}
        self._reported_samples: set[str] = set()
        self._index = index
        self._users = 0
        self._conversations = 0
        self._epoch = time.perf_counter()
        self._connector = Connector(workload.target)
        self._heads = HeadReader()
        self._patience = workload.target.timeouts.exchange
        self._watchdog = Watchdog(min(0.25, self._patience / 20))
        self._lag = LagProbe(self.metrics.lag)
        self._throttling = Throttling()
        self._process = ProcessProbe(self._throttling)
        self._clock = ClockProbe()
        self._limits = machine_limits()

    def _message_options(self) -> dict[str, object]:
        said = {"run_mode": self.scenario.run_mode, "max_iterations": self.scenario.max_iterations}
        return {name: value for name, value in said.items() if value is not None}

    def random(self, *names: object) -> random.Random:
        """A source of random numbers of its own for whoever bears these names; the same in every run of one seed."""
        return random.Random(":".join(map(str, (self.workload.seed, *names))))

    def connect(self) -> HttpClient:
        """A client for one user."""
        client = HttpClient(self._connector, self._heads, self._patience)
        self._watchdog.add(client)
        return client

    @property
    def connections(self) -> dict[str, int]:
        """How many connections were made to each address of the target's name, or of its proxy's."""
        return self._connector.connections

    def next_user(self) -> int:
        """The number of a user that comes now; unique in the run."""
        self._users += 1
        return self._index * USERS_PER_GENERATOR + self._users

    def workspace_of(self, user: int) -> str:
        """The workspace that a user works in: the target's or the scenario's, the run's, or one of its own."""
        named = self.workload.target.workspace
        if named is None and self.scenario.workspace in {"user", "run"}:
            run = f"sendpoll-{self._run_name}"
            return f"{run}-{user}" if self.scenario.workspace == "user" else run
        return named or self.scenario.workspace

    def request_builder_of(self, user: int) -> RequestBuilder:
        """What builds a user's requests, with its token: where there is a pool, users take turns."""
        token = self._tokens.of(user)
        if token not in self._request_builders:
            target = replace(self.workload.target, token=token)
            self._request_builders[token] = RequestBuilder(target, self._message_options())
        return self._request_builders[token]

    def has_renewed(self, token: str) -> bool:
        """Whether there is another token in place of one that a server refuses: the command that makes one runs once.

        Where it fails, it is left alone for a while, and who was refused is told why.
        """
        if time.perf_counter() < self._renews_from:
            return False
        try:
            self.redactor.learn(self._tokens.renewed(token))
        except TargetError as problem:
            self.unrenewed = self.redactor.text(str(problem))
            self._renews_from = time.perf_counter() + _RENEWAL_PAUSE_S
            return False
        self.unrenewed = ""
        return True

    def next_conversation(self) -> int:
        """A number for a conversation that is opened now."""
        self._conversations += 1
        return self._conversations

    def since_start(self, moment: float) -> float:
        """Seconds from the start of the run to a moment of `time.perf_counter`."""
        return moment - self._epoch

    def begin(self, age: float) -> None:
        """The run is that many seconds old: its clock counts from its start, on every machine."""
        self._epoch = time.perf_counter() - age
        self._process.take()

    def obey(self, step: int, arrivals: float | None) -> None:
        """Hold what was ordered. `arrivals` is this generator's part of the rate."""
        self.step = step
        self.is_open = arrivals is not None
        self.arrivals.set_rate(0.0 if self.allowance.is_spent else arrivals or 0.0)

    def may_send(self) -> bool:
        """Whether one more message may be sent, which is then taken to be; after the last one none arrives any more."""
        taken = self.allowance.take()
        if self.allowance.is_spent:
            self.arrivals.set_rate(0.0)
        return taken

    def task_started(self) -> int:
        """A task is about to be sent; the step that it belongs to."""
        self.metrics.started()
        self.started[self.step] += 1
        return self.step

    def task_moved(self, step: int) -> None:
        """The first event of a task of that step was seen."""
        self.moved[step] += 1

    def task_ended(self, record: TaskRecord) -> None:
        """A task that was started has ended."""
        self.metrics.task(record)
        self.ended[record.step] += 1
        if record.ttfe_s is None:
            self.moved[record.step] += 1
        if self.on_task is not None:
            self.on_task(record)

    def crashed(self, error: Exception) -> None:
        """Something of ours raised where it must not."""
        self.crashes[self.redactor.text(crash_text(error))] += 1

    def _drop(self, due: float) -> None:
        at = self.since_start(due)
        self.metrics.task(
            TaskRecord(
                step=self.step,
                user=0,
                scheduled_at=at,
                sent_at=at,
                ended_at=at,
                outcome=Outcome.DROPPED,
                error="no user was free for the arrival",
            )
        )

    def tick(self, users: int) -> None:
        """A second has passed: close its window and book how this process fared in it."""
        age = self.since_start(time.perf_counter())
        window = self.metrics.tick(math.floor(age + 0.5), users)
        health = self._health_of_step()
        health.lag.add(window.histograms["lag"])
        health.slip.add(window.histograms["slip"])
        used = Health(self.scenario.poll_interval_s, processors={self._process.name: self._process.take()})
        health.add(used)
        if (step := self._clock.take()) is not None:
            health.notes[step] += 1

    def met_limit(self, limit: Limit) -> None:
        """A call failed for want of something on this machine: no server heard of it."""
        self._health_of_step().exhausted[f"{limit}: {self._limits.sentence(limit)}"] += 1

    def _health_of_step(self) -> Health:
        return self.health.setdefault(self.step, Health(self.scenario.poll_interval_s))

    def report(self) -> dict[str, Any]:
        """What the master is owed since the last report, as msgpack carries it.

        Counts by step, and of crashes, are whole, not owed.
        """
        health, self.health = self.health, {}
        return {
            "metrics": self.metrics.delta(),
            "health": {step: one.to_message() for step, one in health.items()},
            "started": dict(self.started),
            "moved": dict(self.moved),
            "ended": dict(self.ended),
            "step": self.step,
            "answered": self.answered,
            "samples": self._new_samples(),
            "unconnected": self.unconnected,
            "crashes": dict(self.crashes),
            "connections": self.connections,
        }

    def _new_samples(self) -> dict[str, dict[str, object]]:
        new = {kind: sample for kind, sample in self.samples.items() if kind not in self._reported_samples}
        self._reported_samples.update(new)
        return new

    def stop(self) -> None:
        """End what runs in the background."""
        self.arrivals.stop()
        self._watchdog.stop()
        self._lag.stop()
        self._throttling.close()
