"""What a level would show, from everything that is known of a server: attainment, and the level where it gives.

Each of many imagined servers has a discipline drawn by its weight and work drawn as another sample might have shown it
(Bayesian bootstrap), so what is not known well differs among them. The same imagined servers hold every level, so
that levels differ by their load and not by luck.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sendpoll.load.plan.queueing.demand import BEYOND, LEAST, survival_weights
from sendpoll.load.plan.queueing.fit import Fit
from sendpoll.load.plan.queueing.simulate import HeldLevel, SimulatedTasks, Simulation, Tasks
from sendpoll.load.plan.queueing.traces import Bools, Floats
from sendpoll.load.plan.queueing.work import Work
from sendpoll.load.plan.queueing.work_shapes import shaped

SERVERS = 48
_POOL = 3000
_LEAST_TASKS = 240
_MOST_TASKS = 1600
_ROUNDS = 6
_SKIPPED = 4
"""Rounds of every user that are not counted: tasks that all take the same go on in step for that long."""
_GUESS = 0.7
"""Of the users whose work fills the server: where the search for its limit begins."""
_CLOSE = 1.05
"""Levels so close by their ratio are as good as one."""
_UNSEEN = 1.0
"""Tasks' worth of trust in a shape of which nothing was seen."""
_ANY_SPREAD = (0.05, 1.0)
"""Of such a shape: the deviation of the logarithm of work."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one objective."""

    task_s: float = math.inf
    ttfe_s: float = math.inf
    share: float = 0.95

    def attained(self, outcome: SimulatedTasks) -> Floats:
        """The share of good tasks, an entry a server."""
        good = (outcome.task_s <= self.task_s + 1e-9) & (outcome.ttfe_s <= self.ttfe_s + 1e-9)
        found: Floats = good.mean(axis=1)
        return found


@dataclass(frozen=True, slots=True)
class Users:
    """What the model must know of the users."""

    think_s: tuple[float, ...]
    """Think times, drawn as the users draw theirs."""
    poll_interval_s: float

    @property
    def mean_think_s(self) -> float:
        """What they wait between two messages, in seconds."""
        return float(np.mean(self.think_s))


class Prediction:
    """Imagined servers that agree with a fit."""

    def __init__(self, fit: Fit, users: Users, seed: int, servers: int = SERVERS) -> None:
        rng = np.random.default_rng(seed)
        self._interval = users.poll_interval_s
        self._seed = seed
        chosen = rng.choice(len(fit.candidates), size=servers, p=fit.weights)
        self._disciplines = [fit.candidates[one].discipline for one in chosen]
        self._guessed = float(fit.most_at_once)
        work, first = np.empty((servers, _POOL)), np.empty((servers, _POOL))
        for row, one in enumerate(chosen):
            work[row], first[row] = _drawn(fit.candidates[one].work, rng)
        think = rng.choice(np.array(users.think_s), size=(servers, _POOL))
        self._tasks = Tasks(work, np.minimum(first, work), think)

    def attainment(self, limits: Limits, users: Floats, rows: np.ndarray) -> Floats:
        """The share of good tasks with so many users on each of some servers."""
        ends = int(np.clip(_ROUNDS * users.max(), _LEAST_TASKS, _MOST_TASKS))
        skipped = int(_SKIPPED * users.max())
        tasks = Tasks(self._tasks.work[rows], self._tasks.first[rows], self._tasks.think[rows])
        disciplines = [self._disciplines[row] for row in rows]
        simulation = Simulation(disciplines, tasks, HeldLevel(users), self._interval, self._seed)
        return limits.attained(simulation.run(ends + skipped, skipped))

    def capacities(self, limits: Limits, highest: int) -> Floats:
        """The most users at which each server attains the share; 0 where one user is too many, infinite beyond all."""
        brackets = _Brackets(self._guesses(limits, highest), highest, limits.share)
        while len(rows := brackets.undecided()):
            brackets.note(rows, self.attainment(limits, brackets.level[rows], rows))
        return brackets.crossings()

    def _guesses(self, limits: Limits, highest: int) -> Floats:
        """Users whose work fills the server for the time that a task may take."""
        limit = min(limits.task_s, limits.ttfe_s)
        rounds = (limit + self._tasks.think.mean(axis=1)) / self._tasks.work.mean(axis=1)
        most = np.array([min(one.saturation, self._guessed) for one in self._disciplines])
        guessed: Floats = np.clip(np.round(_GUESS * most * rounds), 1, highest)
        return guessed


class _Brackets:
    """Between which two levels each server gives, narrowed down on all at once."""

    def __init__(self, level: Floats, highest: int, share: float) -> None:
        self.level = level
        self._highest, self._share = float(highest), share
        self._low, self._high = np.zeros(len(level)), np.full(len(level), np.inf)
        self._above, self._below = np.ones(len(level)), np.zeros(len(level))
        """What is attained at the two ends."""

    def undecided(self) -> np.ndarray:
        """Servers that are to be looked at once more."""
        wide = (self._high - self._low > 1) & (self._high > _CLOSE * self._low)
        return np.flatnonzero(wide & (self._low < self._highest))

    def note(self, rows: np.ndarray, attained: Floats) -> None:
        """What was attained at the levels of some; each goes on to its next."""
        for row, share in zip(rows, attained, strict=True):
            level = self.level[row]
            if share >= self._share:
                self._low[row], self._above[row] = level, share
            else:
                self._high[row], self._below[row] = level, share
            self.level[row] = self._following(row)

    def _following(self, row: int) -> float:
        low, high = self._low[row], self._high[row]
        if np.isinf(high):
            return float(min(self._highest, 2 * low))
        if not low:
            return max(1.0, float(np.floor(high / 2)))
        way = (self._above[row] - self._share) / max(self._above[row] - self._below[row], 1e-9)
        inside = low + (high - low) * min(0.8, max(0.2, way))
        if high - low <= 1:
            return float(low)
        return float(min(max(round(float(inside)), int(low) + 1), int(high) - 1))

    def crossings(self) -> Floats:
        """By straight line between the two levels."""
        way = (self._above - self._share) / np.maximum(self._above - self._below, 1e-9)
        between = self._low + (np.where(np.isinf(self._high), 0.0, self._high) - self._low) * np.clip(way, 0.0, 1.0)
        return np.where(np.isinf(self._high), np.inf, np.where(self._low >= 1, between, 0.0))


def _drawn(work: Work, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Work, and work until the first event, as another sample of the same tasks might have shown it.

    A share that shrinks with the tasks seen comes from a shape of which nothing was seen: three tasks of 30 s do not
    say that none takes a minute.
    """
    there = work.high > LEAST
    low, high = np.maximum(work.low[there], LEAST), work.high[there]
    is_open = np.isinf(high)
    seen, ended = np.flatnonzero(~is_open), int(np.sum(~is_open))
    values = np.where(is_open, low, (low + high) / 2)
    share, beyond = survival_weights(values, is_open, rng.dirichlet(np.ones(len(values))))
    odds = np.append(share[seen], beyond)
    picked = rng.choice(ended + 1, size=_POOL, p=odds / odds.sum())
    is_beyond = picked == ended
    picked = seen[np.minimum(picked, ended - 1)]
    whole = low[picked] + rng.uniform(size=_POOL) * (high[picked] - low[picked])
    whole[is_beyond] = values.max() * np.exp(rng.exponential(BEYOND, size=int(is_beyond.sum())))
    drawn = shaped(whole, np.log(values[seen]), rng)
    unseen = rng.uniform(size=_POOL) < _UNSEEN / (_UNSEEN + ended)
    any_shape = math.exp(rng.uniform(*np.log(_ANY_SPREAD)))
    drawn = np.where(unseen, float(np.median(whole)) * np.exp(any_shape * rng.normal(size=_POOL)), drawn)
    return drawn, _first_share(work, there, picked, whole) * drawn


def _first_share(work: Work, there: Bools, picked: np.ndarray, whole: Floats) -> Floats:
    """The part of each picked task's work behind which its first event came; all of it where none came before."""
    low, high = np.maximum(work.first_low[there], 0.0)[picked], work.first_high[there][picked]
    first = np.where(np.isfinite(high), (low + np.maximum(high, 0.0)) / 2, whole)
    share: Floats = np.clip(first / np.maximum(whole, LEAST), 0.0, 1.0)
    return share
