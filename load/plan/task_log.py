"""Every task of a plan, those between the holds included: what a model of the server learns from."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from sendpoll.load.engine import View
from sendpoll.load.measure.records import Outcome, TaskRecord


@dataclass(slots=True)
class PlanTasks:
    """The tasks that have ended so far, and when all were sent."""

    records: list[TaskRecord] = field(default_factory=list)
    now: float = 0.0
    """Seconds since the start of the run."""
    started: list[float] = field(default_factory=list)
    """About when each task was sent, as far as looking once a second tells."""

    def note(self, view: View) -> None:
        """Take in what the engine has seen since it was last asked."""
        self.records.extend(view.records)
        begun = sum(cohort.started for cohort in view.cohorts.values()) - len(self.started)
        self.started += [(self.now + view.elapsed) / 2] * begun
        self.now = view.elapsed

    def open_since(self) -> Sequence[float]:
        """About when each task was sent that has not ended."""
        left = list(self.started)
        for record in self.records:
            if left and record.outcome is not Outcome.DROPPED:
                del left[_nearest(left, record.sent_at)]
        return left


def _nearest(moments: Sequence[float], at: float) -> int:
    """The place of the moment nearest to another, of some in order."""
    after = min(bisect.bisect(moments, at), len(moments) - 1)
    before = max(0, after - 1)
    return before if abs(moments[before] - at) < abs(moments[after] - at) else after
