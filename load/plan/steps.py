"""What the search asks for, a hold, and what it gets back, a step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sendpoll.load.measure.records import TaskRecord


class Purpose(StrEnum):
    """Why a level is held."""

    WAVE = "wave"
    """More users than before, until every task has begun to move or some have ended: how many the server works on at
    once, and how long one takes."""
    LEARN = "learn"
    """The level that a model foretells, until so many more tasks have ended that it is worth asking again."""
    BASELINE = "baseline"
    """One user alone: what the server does without any competition."""
    LADDER = "ladder"
    """Twice the level before, until it fails."""
    RECOVERY = "recovery"
    """Back at a good level after a failed one, until the server is itself again."""
    REFINE = "refine"
    """Between good and bad, to narrow the interval."""
    CONFIRM = "confirm"
    """The level that will be recommended, held for long."""
    POLLS = "polls"
    """The answer with another poll interval."""


UNSETTLED: Final = frozenset({Purpose.WAVE, Purpose.LEARN})
"""What says nothing of a level by itself: the queue is another one than the level's, and most tasks are still open."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A level to be held: settle first, then watch a cohort of tasks from their start to their end."""

    level: float
    """Users, or with open arrivals messages a second."""
    purpose: Purpose
    seconds: float
    """How long the cohort is open at least."""
    tasks: int
    """How many tasks it has at least, unless `limit_s` comes first."""
    limit_s: float
    """How long it is open at most."""
    settle_s: float
    """How long the level is held at least before the cohort opens."""
    settle_limit_s: float
    """How long at most, if tasks in progress go on growing or falling; recovery gives up then, too."""
    end_by: float = math.inf
    """When the step must have ended, in seconds since the start of the run; what is open then is cut off."""
    tail_s: float = 0.0
    """How long before that the cohort closes: what its last tasks are expected to take."""


@dataclass(frozen=True, slots=True)
class Step:
    """A hold as it went. Times are seconds since the start of the run."""

    number: int
    hold: Hold
    settled_at: float
    """When the cohort opened."""
    closed_at: float
    """When no more tasks were added to it."""
    ended_at: float
    """When its last task had ended, or when it was certain what the open ones are."""
    records: tuple[TaskRecord, ...]
    """The tasks of the cohort that ended."""
    unfinished: int = 0
    """Tasks of the cohort that had not ended at `ended_at`: bad samples, all of them."""
    steady: bool = True
    """Whether the tasks in progress were level before the cohort opened."""
    recovery_s: float | None = None
    """With Purpose.RECOVERY: from the order to the first of two good windows in a row; None if they never came."""
    waiting: int = 0
    """Tasks of the whole run that had shown no event when it ended."""
    in_progress: float = 0.0
    """Tasks in progress, mean over the time that the cohort was open, as counted by the generators."""
    is_cut: bool = False
    """Whether the time was up before it was certain what the open tasks are: it says nothing."""
    problems: tuple[str, ...] = ()
    """Why the step says nothing of the server: the generator was late, a worker was lost. Empty for a sound step."""

    late: tuple[str, ...] = ()
    """That the generator was late, which makes the step unsound only where it can have changed a verdict."""
    lateness_s: float = 0.0
    """By how much: p99, in seconds."""

    @property
    def level(self) -> float:
        """Users, or messages a second."""
        return self.hold.level

    @property
    def started(self) -> int:
        """Tasks in the cohort."""
        return len(self.records) + self.unfinished

    @property
    def seconds(self) -> float:
        """How long the cohort was open."""
        return self.closed_at - self.settled_at

    @property
    def throughput(self) -> float:
        """Tasks started a second while it was open: what comes out too, once the level is steady."""
        return self.started / self.seconds if self.seconds > 0 else 0.0

    @property
    def rounds_per_second(self) -> float:
        """Rounds of all users a second, of a task and the thinking after it: a follow-up is part of another's."""
        begun = self.started - sum(record.follow_up for record in self.records)
        return begun / self.seconds if self.seconds > 0 else 0.0

    @property
    def served(self) -> float:
        """Tasks finished a second, over all the time that the cohort took."""
        seconds = self.ended_at - self.settled_at
        return sum(not one.error for one in self.records) / seconds if seconds > 0 else 0.0

    @property
    def requests_per_second(self) -> float:
        """Requests a second that the generators made for it, polls and sends."""
        requests = sum(record.polls + 1 for record in self.records)
        return requests / self.seconds if self.seconds > 0 else 0.0
