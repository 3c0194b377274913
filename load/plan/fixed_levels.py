"""Holds a fixed list of levels, for what is to be known besides the answer."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from sendpoll.load.plan.controller import PlanController
from sendpoll.load.plan.outcome import Conclusion, End
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.steps import Hold, Step
from sendpoll.load.plan.tallies import Observations


class HeldSteps:
    """A search that has made up its mind: hands out the holds, keeps the steps, observes nothing more."""

    def __init__(self, holds: Sequence[Hold], observations: Observations, settings: Settings) -> None:
        self.steps: list[Step] = []
        self._holds = holds
        self.controller = PlanController(
            self._run(), observations, task_deadline_s=settings.task_deadline_s, arrivals=settings.arrivals
        )

    def _run(self) -> Generator[Hold, Step, Conclusion]:
        for hold in self._holds:
            self.steps.append((yield hold))
        return Conclusion(End.CONVERGED, "every level was held", ())
