"""A server that shares itself among its tasks, slows down, refuses, or changes, and its users, in virtual time.

Event by event, since how fast a task advances depends on how many others are there. Nothing of it is the planner's
own simulation, which it is held against.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from sendpoll.load.engine import Cohort, Controller, Order, View
from sendpoll.load.measure.records import Outcome, TaskRecord
from tests.load.plan.virtual import Draw

Speed = Callable[[int, float], float]
"""Seconds of work a second that each of so many tasks gets at a moment."""


def constant(working: int, now: float) -> float:  # noqa: ARG001 - the form of all of them
    return 1.0


def shared(full: float) -> Speed:
    return lambda working, _: min(1.0, full / working)


def slowing(contention: float, coherency: float = 0.0) -> Speed:
    return lambda n, _: 1.0 / (1.0 + contention * (n - 1) + coherency * n * (n - 1))


@dataclass
class SharingServer:
    service: Draw
    think: Draw
    slots: float = math.inf
    speed: Speed = constant
    room: float = math.inf
    slots_at: Callable[[float, int], float] | None = None
    """Slots by the moment and the tasks there, of a server that scales."""
    first_event: float = 0.25
    poll_interval: float = 0.5


@dataclass
class _Task:
    user: int
    step: int
    sent_at: float
    goal: float = 0.0
    work: float = 0.0
    began_at: float = math.inf
    first_at: float = math.inf


@dataclass
class SharingLoad:
    server: SharingServer
    seed: int
    deadline_s: float = 600.0
    spread_s: float = 5.0
    now: float = 0.0
    step: int = 0
    begun: Counter[int] = field(default_factory=Counter)
    moved: Counter[int] = field(default_factory=Counter)
    ended: list[TaskRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self._wakes: list[tuple[float, int]] = []
        self._alive: set[int] = set()
        self._names = 0
        self._working: list[tuple[float, int, _Task]] = []
        self._unmoved: list[tuple[float, int, _Task]] = []
        """Those that are worked on and have shown nothing yet, by where their first event comes."""
        self._waiting: list[_Task] = []
        self._done = 0.0
        self._serial = 0

    @property
    def users(self) -> int:
        return len(self._alive)

    def hold(self, order: Order) -> None:
        self.step = order.step
        while len(self._alive) < order.users:
            self._names += 1
            self._alive.add(self._names)
            heapq.heappush(self._wakes, (self.now + self.rng.uniform(0, self.spread_s), self._names))
        for name in self.rng.sample(sorted(self._alive), len(self._alive) - order.users):
            self._alive.discard(name)

    def _slots(self) -> float:
        there = len(self._working) + len(self._waiting)
        return self.server.slots if self.server.slots_at is None else self.server.slots_at(self.now, there)

    def advance(self, until: float) -> None:
        while True:
            speed = self.server.speed(len(self._working), self.now) if self._working else 1.0
            wake = self._wakes[0][0] if self._wakes else math.inf
            end = self.now + (self._working[0][0] - self._done) / speed if self._working else math.inf
            first = self.now + (self._unmoved[0][0] - self._done) / speed if self._unmoved else math.inf
            moment = min(wake, end, first, until)
            if self._working:
                self._done += speed * (moment - self.now)
            self.now = moment
            if moment == until and until < min(wake, end, first):
                self._admit()
                return
            if first <= min(wake, end):
                self._move(heapq.heappop(self._unmoved)[2])
            elif end <= wake:
                self._finish(heapq.heappop(self._working)[2])
            else:
                self._wake(heapq.heappop(self._wakes)[1])
            self._admit()

    def _admit(self) -> None:
        while self._waiting and len(self._working) < self._slots():
            self._begin(self._waiting.pop(0))

    def _begin(self, task: _Task) -> None:
        task.work = self.server.service(self.rng)
        task.goal, task.began_at = self._done + task.work, self.now
        self._serial += 1
        heapq.heappush(self._working, (task.goal, self._serial, task))
        heapq.heappush(self._unmoved, (self._done + self.server.first_event * task.work, self._serial, task))

    def _move(self, task: _Task) -> None:
        task.first_at = self.now
        self.moved[task.step] += 1

    def _wake(self, user: int) -> None:
        if user not in self._alive:
            return
        self.begun[self.step] += 1
        if len(self._working) + len(self._waiting) >= self.server.room:
            self.moved[self.step] += 1
            self.ended.append(
                TaskRecord(
                    step=self.step, user=user, scheduled_at=self.now, sent_at=self.now, ended_at=self.now + 0.01,
                    outcome=Outcome.REFUSED, refused_with=429, error="429",
                )
            )  # fmt: skip
            heapq.heappush(self._wakes, (self.now + 0.01 + self.server.think(self.rng), user))
            return
        self._waiting.append(_Task(user, self.step, self.now))

    def _finish(self, task: _Task) -> None:
        interval, at = self.server.poll_interval, task.sent_at
        polls = max(1, math.ceil((self.now - at) / interval))
        ttfe = max(1, math.ceil((task.first_at - at) / interval)) * interval
        self.ended.append(
            TaskRecord(
                step=task.step, user=task.user, scheduled_at=at, sent_at=at, ended_at=at + polls * interval,
                submit_s=0.002, ttfe_s=ttfe, polls=polls, events=4, bytes=400, status="completed",
                outcome=Outcome.FINISHED,
            )
        )  # fmt: skip
        heapq.heappush(self._wakes, (at + polls * interval + self.server.think(self.rng), task.user))


def run_sharing(controller: Controller, load: SharingLoad, *, limit_s: float = 7200.0) -> float:
    """Ask the controller every virtual second until it ends; how long that took."""
    given, order = 0, Order(0)
    pending: list[tuple[float, int, TaskRecord]] = []
    ended: Counter[int] = Counter()
    while load.now < limit_s:
        for record in load.ended[given:]:
            heapq.heappush(pending, (record.ended_at, given, record))
            given += 1
        told: list[TaskRecord] = []
        while pending and pending[0][0] <= load.now:
            told.append(heapq.heappop(pending)[2])
            ended[told[-1].step] += 1
        cohorts = {
            step: Cohort(load.begun[step], ended[step], load.moved[step], step < order.step)
            for step in range(order.step + 1)
        }
        view = View(load.now, load.users, told, cohorts, {}, cast(Any, None), ())
        following = controller.decide(view)
        if following is None:
            return load.now
        order = following
        load.hold(order)
        load.advance(load.now + 1.0)
    raise AssertionError(f"the plan had not ended after {limit_s} s")


def attained(server: SharingServer, users: int, limit_s: float, tasks: int, seed: int = 1) -> float:
    """The true share of tasks within a limit with so many users, from a long simulation."""
    load = SharingLoad(server, seed)
    load.hold(Order(users))
    while len(load.ended) < max(200, 3 * users):
        load.advance(load.now + 50.0)
    skipped = len(load.ended)
    while len(load.ended) - skipped < tasks:
        load.advance(load.now + 50.0)
    counted = load.ended[skipped:]
    return sum(one.task_s is not None and one.task_s <= limit_s for one in counted) / len(counted)
