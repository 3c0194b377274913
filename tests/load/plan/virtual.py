"""A server with slots and a queue, its users, and the engine's clock, all in virtual time.

First come, first served: when a task arrives, its start and end follow from the times at which the slots fall free, so
a task costs two heap operations and a plan of twelve minutes a tenth of a second. What a user sees is quantised by
polling, as on the real engine.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from sendpoll.load.engine import Cohort, Controller, Order, View
from sendpoll.load.measure.health import Health
from sendpoll.load.measure.records import Outcome, TaskRecord

Draw = Callable[[random.Random], float]


def fixed(seconds: float) -> Draw:
    return lambda _: seconds


def exponential(mean: float) -> Draw:
    return lambda rng: rng.expovariate(1 / mean)


def uniform(low: float, high: float) -> Draw:
    return lambda rng: rng.uniform(low, high)


def lognormal(mean: float, variation: float) -> Draw:
    """`variation` is the standard deviation over the mean."""
    variance = math.log(1 + variation**2)
    return lambda rng: rng.lognormvariate(math.log(mean) - variance / 2, math.sqrt(variance))


def pareto(mean: float, shape: float) -> Draw:
    least = mean * (shape - 1) / shape
    return lambda rng: least * rng.paretovariate(shape)


@dataclass
class Server:
    """What the planner is to find out about."""

    slots: int
    service: Draw
    think: Draw
    first_event: float = 0.25
    """Share of the service time after which the first event is there."""
    poll_interval: float = 0.5
    crowd: int | None = None
    """With more users than this, every task takes `crowd_factor` times as long: a cliff."""
    crowd_factor: float = 20.0
    overload: int | None = None
    """With more tasks in the system than this it is overloaded, and stays `overload_factor` times slower for..."""
    overload_s: float = 0.0
    overload_factor: float = 3.0
    dies_at: float = math.inf
    """From here on nothing is answered."""
    dies_beyond: int | None = None
    """With more tasks in the system than this, it dies."""
    cold_s: float = 0.0
    """For so long tasks take `cold_factor` times as long."""
    cold_factor: float = 10.0
    stalls: tuple[float, float] | None = None
    """Mean time between stalls of everything, and how long they are."""


@dataclass
class Load:
    """The users of one server. `advance` runs them; tasks are in `started` as soon as they are sent."""

    server: Server
    seed: int
    deadline_s: float = 120.0
    spread_s: float = 5.0
    now: float = 0.0
    step: int = 0
    rate: float | None = None
    started: list[TaskRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self._slots = [0.0] * self.server.slots
        self._users: list[tuple[float, int]] = []
        self._names = 0
        self._pool = 0
        self._in_system: list[float] = []
        self._slow_until = -math.inf
        self._stall_at = self._next_stall(0.0)
        self._next_arrival = math.inf

    @property
    def users(self) -> int:
        return len(self._users) or self._pool

    def hold(self, order: Order) -> None:
        """Bring as many users as ordered; those that are too many leave once their task has ended."""
        self.step = order.step
        if order.arrivals is not None:
            self._pool = order.users
            if order.arrivals != self.rate:
                self.rate = order.arrivals
                self._next_arrival = self.now + self.rng.expovariate(self.rate)
            return
        while len(self._users) < order.users:
            self._names += 1
            heapq.heappush(self._users, (self.now + self.rng.uniform(0, self.spread_s), self._names))
        if len(self._users) > order.users:
            self.rng.shuffle(self._users)
            del self._users[order.users :]
            heapq.heapify(self._users)

    def advance(self, until: float) -> None:
        while self._users and self._users[0][0] <= until:
            at, name = self._users[0]
            record = self._send(at, name)
            heapq.heapreplace(self._users, (record.ended_at + self.server.think(self.rng), name))
        while self.rate is not None and self._next_arrival <= until:
            self._send(self._next_arrival, 0)
            self._next_arrival += self.rng.expovariate(self.rate)
        self.now = until

    def _send(self, at: float, name: int) -> TaskRecord:
        record = self._record(at, name)
        self.started.append(record)
        return record

    def _record(self, at: float, name: int) -> TaskRecord:
        server = self.server
        if at >= server.dies_at:
            return self._failed(at, at + 0.01, name)
        while self._in_system and self._in_system[0] <= at:
            heapq.heappop(self._in_system)
        if server.dies_beyond is not None and len(self._in_system) > server.dies_beyond:
            server.dies_at = at
            return self._failed(at, at + 0.01, name)
        begins, ends = self._serve(at)
        heapq.heappush(self._in_system, ends)
        interval = server.poll_interval
        first = begins + server.first_event * (ends - begins)
        polls = max(1, math.ceil((ends - at) / interval))
        if at + polls * interval >= server.dies_at:
            return self._failed(at, max(at, server.dies_at) + 0.01, name)
        ttfe = max(1, math.ceil((first - at) / interval)) * interval
        late = polls * interval > self.deadline_s
        return TaskRecord(
            step=self.step,
            user=name,
            scheduled_at=at,
            sent_at=at,
            ended_at=at + min(polls * interval, self.deadline_s),
            submit_s=0.002,
            ttfe_s=ttfe if ttfe <= self.deadline_s else None,
            polls=polls,
            empty_polls=max(0, round(ttfe / interval) - 1),
            events=4,
            bytes=400,
            status="running" if late else "completed",
            outcome=Outcome.TIMED_OUT if late else Outcome.FINISHED,
        )

    def _serve(self, at: float) -> tuple[float, float]:
        """When a slot takes the task, and when it is done."""
        server, rng = self.server, self.rng
        takes = server.service(rng)
        if server.crowd is not None and self.users > server.crowd:
            takes *= server.crowd_factor
        if server.overload is not None and len(self._in_system) > server.overload:
            self._slow_until = at + server.overload_s
        if at < self._slow_until:
            takes *= server.overload_factor
        begins = max(at, self._slots[0])
        if begins < server.cold_s:
            takes *= server.cold_factor
        ends = begins + takes
        if server.stalls is not None:
            while self._stall_at < begins:
                self._stall_at = self._next_stall(self._stall_at)
            if self._stall_at < ends:
                ends += server.stalls[1]
        heapq.heapreplace(self._slots, ends)
        return begins, ends

    def _next_stall(self, after: float) -> float:
        return math.inf if self.server.stalls is None else after + self.rng.expovariate(1 / self.server.stalls[0])

    def _failed(self, at: float, ended_at: float, name: int) -> TaskRecord:
        return TaskRecord(
            step=self.step,
            user=name,
            scheduled_at=at,
            sent_at=at,
            ended_at=ended_at,
            outcome=Outcome.FAILED,
            error="the connection was refused",
        )


def run_virtually(
    controller: Controller,
    load: Load,
    *,
    limit_s: float = 7200.0,
    health: Callable[[Order], Health] | None = None,
) -> float:
    """Ask the controller every virtual second until it ends; how long that took."""
    pending: list[tuple[float, int, TaskRecord]] = []
    unmoved: list[tuple[float, int]] = []
    started: defaultdict[int, int] = defaultdict(int)
    moved: defaultdict[int, int] = defaultdict(int)
    ended: defaultdict[int, int] = defaultdict(int)
    by_step: dict[int, Health] = {}
    seen, order = 0, Order(0)
    while load.now < limit_s:
        while seen < len(load.started):
            record = load.started[seen]
            started[record.step] += 1
            heapq.heappush(pending, (record.ended_at, seen, record))
            moves_at = record.ended_at if record.ttfe_s is None else record.scheduled_at + record.ttfe_s
            heapq.heappush(unmoved, (moves_at, record.step))
            seen += 1
        while unmoved and unmoved[0][0] <= load.now:
            moved[heapq.heappop(unmoved)[1]] += 1
        done: list[TaskRecord] = []
        while pending and pending[0][0] <= load.now:
            done.append(heapq.heappop(pending)[2])
            ended[done[-1].step] += 1
        cohorts = {
            step: Cohort(started[step], ended[step], moved[step], step < order.step) for step in range(order.step + 1)
        }
        view = View(load.now, load.users, done, cohorts, by_step, cast(Any, None), ())
        following = controller.decide(view)
        if following is None:
            return load.now
        order = following
        if health is not None:
            by_step[order.step] = health(order)
        load.hold(order)
        load.advance(load.now + 1.0)
    raise AssertionError(f"the plan had not ended after {limit_s} s")


def attainment(server: Server, users: int, limit_s: float, tasks: int, seed: int = 1) -> float:
    """The true share of tasks within a limit with so many users, from a long simulation."""
    load = Load(server, seed)
    load.hold(Order(users))
    load.advance(200.0)
    load.started.clear()
    while len(load.started) < tasks:
        load.advance(load.now + 100.0)
    return sum(record.elapsed_s <= limit_s for record in load.started) / len(load.started)
