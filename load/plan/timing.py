"""How long each hold lasts: by the pace of the plan, and by what the steps so far have shown of the server's."""

from __future__ import annotations

import math
from typing import Final

from sendpoll.load.plan.judge import Assessment
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.steps import Hold, Purpose
from sendpoll.load.plan.tallies import Observations

_SETTLE_S: Final = 5.0
_LEAST_SETTLE_S: Final = 2.0
_RECOVERY_LIMIT_S: Final = 180.0
_RECOVERY_LIMIT_SHARE: Final = 0.25
_LADDER_TASKS: Final = 10
_REFINE_MISSES: Final = 4
"""A refining hold has tasks enough to expect this many bad ones where the share is exactly met."""
_MOST_REFINE_TASKS: Final = 400
_SHRINK: Final = 0.6
_NEAR: Final = 1.5
_CONFIRM_LIMIT_S: Final = 300.0
_OVERLOAD_SHOWS: Final = 6.0
"""With open arrivals the wait grows by the overload's share of each second: after ten limits tasks are late that a
server gets 10 % too many of, and most of a hold's are to be."""
_LONGEST_SHARE: Final = 0.125
"""Of the budget, for one such hold."""
_LONGEST_SETTLE_S: Final = 30.0


class Timing:
    """The plan's clock and the server's pace. Times are in seconds."""

    def __init__(self, settings: Settings, observations: Observations) -> None:
        self.clock = 0.0
        """Since the start of the run, when the last step ended."""
        self.cycle_s = 0.0
        """A user's whole round: a task and the thinking after it. With open arrivals, a task."""
        self.response_s = 0.0
        """A task, at p90 of the last step."""
        self._settings = settings
        self._book = observations

    def learn(self, seen: Assessment) -> None:
        """Note how long a task takes, and how long a user's whole round."""
        took = sorted(record.elapsed_s for record in seen.step.records)
        if took:
            self.response_s = took[int(len(took) * 0.9)]
        if not self._settings.arrivals and seen.step.rounds_per_second > 0 and seen.leans_good:
            self.cycle_s = seen.step.level / seen.step.rounds_per_second
        elif self._settings.arrivals and took and seen.leans_good:
            self.cycle_s = took[len(took) // 2]

    @property
    def budget_left(self) -> float:
        """Seconds until the plan must end."""
        return self._settings.budget_s - self.clock

    @property
    def left(self) -> float:
        """Seconds left for refining."""
        return self.budget_left - self._settings.pace.confirm_share * self._settings.budget_s

    def cost(self, hold: Hold) -> float:
        """Seconds that a hold will take, to its last task."""
        return hold.settle_s + hold.seconds + self.response_s

    def hold(self, level: float, purpose: Purpose) -> Hold:
        """What to hold a level for, and how long."""
        makers = {
            Purpose.BASELINE: self._baseline,
            Purpose.LADDER: self._ladder,
            Purpose.RECOVERY: self._recovery,
            Purpose.CONFIRM: self._confirmation,
        }
        seconds, tasks, limit, settle, settle_limit = makers.get(purpose, self._refinement)(level)
        return Hold(
            level, purpose, seconds, tasks, limit, settle, settle_limit, self._settings.budget_s, self.response_s
        )

    def _baseline(self, _: float) -> tuple[float, int, float, float, float]:
        pace = self._settings.pace
        return pace.ladder_s, pace.baseline_tasks, 4 * self._settings.task_deadline_s, _LEAST_SETTLE_S, _LEAST_SETTLE_S

    def _ladder(self, _: float) -> tuple[float, int, float, float, float]:
        seconds = self._ladder_s()
        settle = self._settings.start_spread_s + max(_LEAST_SETTLE_S, self.response_s)
        return seconds, _LADDER_TASKS, 1.5 * seconds, settle, 2 * settle

    def _recovery(self, level: float) -> tuple[float, int, float, float, float]:
        patience = max(min(_RECOVERY_LIMIT_S, _RECOVERY_LIMIT_SHARE * self._settings.budget_s), self._backlog_s())
        window = max(_LEAST_SETTLE_S, self.cycle_s / 3)
        seconds = self._ladder_s() if self._last_level() > _NEAR * level else self._refine_s()
        return seconds, 1, seconds, window, max(patience, 4 * self._settle(level))

    def _confirmation(self, level: float) -> tuple[float, int, float, float, float]:
        settle = self._settle(level)
        seconds = min(_CONFIRM_LIMIT_S, max(30.0, self.budget_left - settle - self.response_s))
        return seconds, 1, seconds, settle, 2 * settle

    def _refinement(self, level: float) -> tuple[float, int, float, float, float]:
        settle, seconds = self._settle(level), self._refine_s()
        limit = max(seconds, min(self._settings.pace.refine_limit_s, 2 * seconds))
        room = self.left - settle - self.response_s
        if room < limit:
            seconds, limit = min(seconds, max(_SHRINK * seconds, room)), max(_SHRINK * seconds, room)
        return seconds, self._refine_tasks(), limit, settle, 2 * settle

    def _ladder_s(self) -> float:
        return max(self._settings.pace.ladder_s, self._settings.pace.ladder_cycles * self.cycle_s)

    def _refine_s(self) -> float:
        pace = self._settings.pace
        if self._settings.arrivals:
            shows = _OVERLOAD_SHOWS * (self._book.longest_limit_s() or 0.0)
            return max(pace.refine_s, min(shows, _LONGEST_SHARE * self._settings.budget_s))
        return max(pace.refine_s, pace.refine_cycles * self.cycle_s)

    def _backlog_s(self) -> float:
        """Twice the time in which the server, at the best throughput that was seen, works off what was started last."""
        best = max((step.throughput for step in self._book.steps if not step.unfinished), default=0.0)
        return 2 * self._book.steps[-1].level / best if best > 0 and not self._settings.arrivals else 0.0

    def _refine_tasks(self) -> int:
        wanted = [self._book.objectives[place] for place in self._book.places(self._book.tiers[0])]
        strictest = max(objective.share for objective in wanted if objective.kind == "quantile")
        return min(_MOST_REFINE_TASKS, math.ceil(_REFINE_MISSES / (1 - strictest)))

    def _settle(self, level: float) -> float:
        """A whole round of every user after a great change of load, a task's time after a small one.

        With open arrivals, the time that a task may take: a queue that is too long begins to show.
        """
        if self._settings.arrivals:
            return max(_SETTLE_S, self.response_s, min(self._book.longest_limit_s() or 0.0, _LONGEST_SETTLE_S))
        if 1 / _NEAR <= level / self._last_level() <= _NEAR:
            return max(_SETTLE_S, self.response_s)
        return self._settings.start_spread_s + max(_SETTLE_S, self.cycle_s)

    def _last_level(self) -> float:
        return self._book.steps[-1].level if self._book.steps else self._settings.start
