"""How a server shares itself among the tasks that it has: who waits, and how fast those advance that it works on.

One family has the ones that are compared. The first `slots` tasks in the order of their arrival are worked on, the
others wait; each of n that are worked on advances at `speed(n)` seconds of work a second, and one that arrives where
`room` tasks are already there is refused.

| discipline | slots | speed of each of n |
|---|---|---|
| first come, first served | c | 1 |
| processor sharing | no limit | min(1, k / n) |
| slots that slow each other down | c, or no limit | 1 / (1 + a (n - 1)) |
| universal scalability (Gunther) | no limit | 1 / (1 + a (n - 1) + b n (n - 1)) |
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sendpoll.load.plan.queueing.traces import Floats


class DisciplineKind(StrEnum):
    """The name of a discipline, as reports write it."""

    FIFO = "first come, first served"
    SHARING = "processor sharing"
    SLOWING = "slots that slow each other down"
    SCALABILITY = "universal scalability"


@dataclass(frozen=True, slots=True)
class Discipline:
    """One server's."""

    kind: DisciplineKind
    slots: float = math.inf
    """How many tasks are worked on at once."""
    full_speed: float = math.inf
    """Processor sharing: up to so many advance at full speed."""
    contention: float = 0.0
    coherency: float = 0.0
    room: float = math.inf
    """A task that arrives where so many are is refused."""

    def speed(self, working: Floats) -> Floats:
        """How fast each advances while so many are worked on, in seconds of work a second."""
        n = np.maximum(1.0, np.minimum(working, self.slots))
        if self.kind is DisciplineKind.SHARING:
            shared: Floats = np.minimum(1.0, self.full_speed / n)
            return shared
        slowed: Floats = 1.0 / (1.0 + self.contention * (n - 1) + self.coherency * n * (n - 1))
        return slowed

    @property
    def saturation(self) -> float:
        """The most seconds of work that it does in a second; infinite where it was never seen to give."""
        if self.kind is DisciplineKind.FIFO:
            return self.slots
        if self.kind is DisciplineKind.SHARING:
            return self.full_speed
        if math.isinf(self.slots) and not self.coherency:
            return 1 / self.contention if self.contention else math.inf
        best = min(self.slots, math.sqrt((1 - self.contention) / self.coherency) if self.coherency else math.inf)
        n = np.array([max(1.0, math.floor(best)), max(1.0, math.ceil(best))])
        return float(np.max(n * self.speed(n)))
