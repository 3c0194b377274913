"""Holds a level on many imagined servers at once: users who think and poll, or arrivals, exactly as a load has them.

Each row is a server of its own, with a discipline and tasks drawn for it; all rows take their next event in the same
step, so that a thousand tasks on a hundred servers cost as many steps as on one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sendpoll.load.plan.queueing.discipline import Discipline, DisciplineKind
from sendpoll.load.plan.queueing.traces import Floats

_THINKING, _WAITING, _WORKING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class HeldLevel:
    """What is held, an entry a server."""

    users: Floats
    """With `rate`, how many tasks can be in progress at once."""
    rate: Floats | None = None
    """Messages a second; None: users send when they have thought."""
    spread_s: float = 5.0
    """Users that come together send their first messages over this time."""


@dataclass(frozen=True, slots=True)
class Tasks:
    """A pool of tasks to draw from, a row a server. All are in seconds."""

    work: Floats
    first: Floats
    """Work until the first event."""
    think: Floats
    """The pause behind a task."""


@dataclass(frozen=True, slots=True)
class SimulatedTasks:
    """What users saw, a row a server, a column a task in the order of their ends. Seconds; NaN where there was none."""

    task_s: Floats
    ttfe_s: Floats


class _Servers:
    """The rows' disciplines as columns."""

    def __init__(self, disciplines: Sequence[Discipline]) -> None:
        self.slots = np.array([one.slots for one in disciplines])
        self.full_speed = np.array([one.full_speed for one in disciplines])
        self.is_sharing = np.array([one.kind is DisciplineKind.SHARING for one in disciplines])
        self.contention = np.array([one.contention for one in disciplines])
        self.coherency = np.array([one.coherency for one in disciplines])
        self.room = np.array([one.room for one in disciplines])

    def speed(self, working: Floats) -> Floats:
        n = np.maximum(1.0, working)
        shared = np.minimum(1.0, self.full_speed / n)
        slowed = 1.0 / (1.0 + self.contention * (n - 1) + self.coherency * n * (n - 1))
        return np.where(self.is_sharing, shared, slowed)


class Simulation:
    """One level on all rows."""

    def __init__(
        self, disciplines: Sequence[Discipline], tasks: Tasks, level: HeldLevel, poll_interval_s: float, seed: int
    ) -> None:
        self._servers = _Servers(disciplines)
        self._tasks = tasks
        self._level = level
        self._interval = poll_interval_s
        rng = np.random.default_rng(seed)
        rows, users = len(disciplines), int(level.users.max())
        self._rows = np.arange(rows)
        self._now = np.zeros(rows)
        self._done = np.zeros(rows)
        """How far a task that was always worked on has come."""
        self._state = np.zeros((rows, users), dtype=np.int8)
        started = rng.uniform(0, level.spread_s, (rows, users))
        there = np.arange(users)[None, :] < level.users[:, None]
        self._next = np.where(there, started, np.inf) if level.rate is None else np.full((rows, users), np.inf)
        self._goal = np.full((rows, users), np.inf)
        self._place = np.full((rows, users), np.inf)
        """The order of arrival of those that wait."""
        self._arrived = np.zeros((rows, users))
        self._began = np.zeros((rows, users))
        self._first_at = np.full((rows, users), np.nan)
        self._task = np.zeros((rows, users), dtype=int)
        self._working = np.zeros(rows)
        self._count = np.zeros(rows, dtype=int)
        self._has_room_limit = bool(np.isfinite(self._servers.room).any())
        self._gaps = None if level.rate is None else rng.exponential(1 / level.rate[:, None], tasks.work.shape)
        self._arrival = None if self._gaps is None else self._gaps[:, 0].copy()

    def run(self, ends: int, skipped: int) -> SimulatedTasks:
        """Go on until so many tasks have ended on each row, the first ones of them not counted."""
        rows = len(self._rows)
        task_s, ttfe_s = np.full((rows, ends), np.nan), np.full((rows, ends), np.nan)
        ended = np.zeros(rows, dtype=int)
        while (ended < ends).any():
            arrival, who_arrives = self._next_arrival()
            who_ends = np.argmin(self._goal, axis=1)
            left = self._goal[self._rows, who_ends] - self._done
            speed = self._servers.speed(self._working)
            with np.errstate(invalid="ignore"):
                end = np.where(np.isfinite(left), self._now + left / speed, np.inf)
            is_end = end <= arrival
            moment = np.where(is_end, end, arrival)
            self._done += np.where(self._working > 0, speed * (moment - self._now), 0.0)
            self._now = moment
            finishing = is_end & (ended < ends)
            self._finish(np.flatnonzero(is_end), who_ends, ended, finishing, task_s, ttfe_s)
            there = np.count_nonzero(self._state != _THINKING, axis=1) if self._has_room_limit else 0
            is_refused = ~is_end & (there >= self._servers.room)
            if is_refused.any():
                self._refuse(np.flatnonzero(is_refused), who_arrives, ended, ends)
            self._arrive(np.flatnonzero(~is_end & ~is_refused), who_arrives)
        return SimulatedTasks(task_s[:, skipped:], ttfe_s[:, skipped:])

    def _next_arrival(self) -> tuple[Floats, np.ndarray]:
        if self._arrival is None:
            who = np.argmin(self._next, axis=1)
            return self._next[self._rows, who], who
        who = np.argmax(self._state == _THINKING, axis=1)
        return self._arrival, who

    def _arrive(self, rows: np.ndarray, who: np.ndarray) -> None:
        if not len(rows):
            return
        user = who[rows]
        number = self._count[rows]
        self._count[rows] += 1
        pool = self._tasks.work.shape[1]
        task = number % pool
        if self._gaps is not None and self._arrival is not None:
            self._arrival[rows] += self._gaps[rows, (number + 1) % pool]
        self._task[rows, user] = task
        self._arrived[rows, user] = self._now[rows]
        self._next[rows, user] = np.inf
        begins = self._working[rows] < self._servers.slots[rows]
        self._state[rows, user] = np.where(begins, _WORKING, _WAITING)
        self._place[rows, user] = np.where(begins, np.inf, number)
        self._begin(rows[begins], user[begins])

    def _refuse(self, rows: np.ndarray, who: np.ndarray, ended: np.ndarray, ends: int) -> None:
        """Turned away, a user thinks as behind a task; a bad one, so nothing is noted of its times."""
        number = self._count[rows]
        self._count[rows] += 1
        task = number % self._tasks.work.shape[1]
        if self._gaps is not None and self._arrival is not None:
            self._arrival[rows] += self._gaps[rows, task]
        else:
            self._next[rows, who[rows]] = self._now[rows] + np.maximum(0.05, self._tasks.think[rows, task])
        ended[rows] = np.minimum(ends, ended[rows] + 1)

    def _begin(self, rows: np.ndarray, users: np.ndarray) -> None:
        task = self._task[rows, users]
        self._state[rows, users] = _WORKING
        self._place[rows, users] = np.inf
        self._goal[rows, users] = self._done[rows] + self._tasks.work[rows, task]
        self._began[rows, users] = self._now[rows]
        self._working[rows] += 1

    def _finish(
        self,
        rows: np.ndarray,
        who: np.ndarray,
        ended: np.ndarray,
        counted: np.ndarray,
        task_s: Floats,
        ttfe_s: Floats,
    ) -> None:
        if not len(rows):
            return
        user = who[rows]
        arrived, began, now = self._arrived[rows, user], self._began[rows, user], self._now[rows]
        task = self._task[rows, user]
        seen = self._polled(now - arrived)
        share = self._tasks.first[rows, task] / self._tasks.work[rows, task]
        first = self._polled(began - arrived + share * (now - began))
        kept = counted[rows]
        task_s[rows[kept], ended[rows[kept]]] = seen[kept]
        ttfe_s[rows[kept], ended[rows[kept]]] = first[kept]
        ended[rows[kept]] += 1
        self._state[rows, user] = _THINKING
        self._goal[rows, user] = np.inf
        self._working[rows] -= 1
        if self._arrival is None:
            self._next[rows, user] = arrived + seen + self._tasks.think[rows, task]
        following = np.argmin(self._place[rows], axis=1)
        waits = np.isfinite(self._place[rows, following])
        self._begin(rows[waits], following[waits])

    def _polled(self, seconds: Floats) -> Floats:
        """When a poll shows it: behind each answer one waits for an interval."""
        found: Floats = np.maximum(1.0, np.ceil(seconds / self._interval - 1e-9)) * self._interval
        return found
