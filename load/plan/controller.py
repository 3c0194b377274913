"""Holds on an engine what the search asks for: settle, open a cohort, close it, wait for its last task.

The load stays on until the cohort has ended, so its last tasks meet the same server as its first ones. Tasks that are
not of the cohort carry step ids of their own. A controller is asked about once a second and keeps no clock of its own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Final

from sendpoll.load.engine import Cohort, Order, View
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.plan.background import Background, Pending, at_once
from sendpoll.load.plan.judge import assess, is_hopeless, is_settled_case
from sendpoll.load.plan.outcome import Conclusion
from sendpoll.load.plan.steps import UNSETTLED, Hold, Purpose, Step
from sendpoll.load.plan.tallies import Observations
from sendpoll.load.plan.task_log import PlanTasks

_STEADY_CHANGE: Final = 0.10
_TAIL_SLACK_S: Final = 5.0
"""Beyond the task deadline, after which a task that did not report is given up."""
_LEAST_WINDOW_S: Final = 3.0
_HOPELESS_EVERY_S: Final = 5
_DEAD_S: Final = 60.0
"""Errors alone for so long after an overload are no overload any more."""
_POOL_LIMIT: Final = 5000
_LEAST_POOL: Final = 20
"""Users that take open arrivals: enough for each arrival to find one free, even if tasks take until the deadline."""


@dataclass(slots=True)
class _Held:
    """The hold under way, as far as it has gone. Times are seconds since the start of the run."""

    hold: Hold
    ordered_at: float
    reached_at: float | None = None
    """When as many users were there as ordered."""
    opened_at: float | None = None
    closed_at: float | None = None
    cohort: int = -1
    """The step id of the cohort."""
    ended_before: int = 0
    """Tasks that had ended when it began."""
    steady: bool = True
    in_progress: list[tuple[float, int]] = field(default_factory=list)
    windows: list[tuple[int, float]] = field(default_factory=list)
    """Recovery: step ids and starts of the windows so far."""
    recovery_s: float | None = None


class PlanController:
    """Drives a search, a generator of holds that is sent steps, as the engine's controller.

    `conclusion` is what the search returned, once it has ended.
    """

    def __init__(
        self,
        search: Generator[Hold, Step, Conclusion],
        observations: Observations,
        *,
        task_deadline_s: float,
        arrivals: bool = False,
        on_step: Callable[[Step], None] | None = None,
        background: Background = at_once,
    ) -> None:
        self.conclusion: Conclusion | None = None
        self.log = PlanTasks()
        self._search = search
        self._book = observations
        self._deadline_s = task_deadline_s
        self._arrivals = arrivals
        self._on_step = on_step
        self._background = background
        self._answer: Pending[Hold | Conclusion] | None = None
        self._steps = 0
        self._id = 0
        self._records: defaultdict[int, list[TaskRecord]] = defaultdict(list)
        self._users = 0
        self._held: _Held | None = None

    def decide(self, view: View) -> Order | None:
        """What to hold for the next second; None once the search has ended."""
        self.log.note(view)
        for record in view.records:
            self._records[record.step].append(record)
        if self._held is None:
            return self._order() if self._begin(self._asked(None), view) else None
        if self._answer is not None:
            return self._follow(self._answer, view)
        held = self._held
        held.in_progress.append((view.elapsed, sum(one.started - one.ended for one in view.cohorts.values())))
        step = self._advance(held, view)
        if step is None:
            return self._order()
        self._steps += 1
        if self._on_step is not None:
            self._on_step(step)
        self._answer = self._background(lambda: self._asked(step))
        return self._follow(self._answer, view)

    def _asked(self, step: Step | None) -> Hold | Conclusion:
        """Hand a step to the search; what it asks for next, or what it came to. A model may take it some seconds."""
        try:
            return next(self._search) if step is None else self._search.send(step)
        except StopIteration as stop:
            conclusion: Conclusion = stop.value
            return conclusion

    def _follow(self, answer: Pending[Hold | Conclusion], view: View) -> Order | None:
        """Begin what the search asks for, once it has; until then the load stays as it is."""
        if answer.ready():
            self._answer = None
            if not self._begin(answer.get(), view):
                return None
        return self._order()

    def _begin(self, answer: Hold | Conclusion, view: View) -> bool:
        """Begin a hold; False where the search has ended."""
        if isinstance(answer, Conclusion):
            self.conclusion = answer
            return False
        hold = answer
        self._id += 1
        self._held = _Held(hold, view.elapsed)
        if hold.purpose in UNSETTLED:  # it begins with the first tasks
            self._held.cohort, self._held.opened_at = self._id, view.elapsed
            self._held.ended_before = sum(cohort.ended for cohort in view.cohorts.values())
        return True

    def _order(self) -> Order:
        held = self._held
        assert held is not None  # noqa: S101 - an order without a hold is never asked for
        level = held.hold.level
        if self._arrivals:
            self._users = min(_POOL_LIMIT, max(self._users, _LEAST_POOL, math.ceil(level * self._deadline_s)))
            return Order(users=self._users, step=self._id, arrivals=level)
        self._users = round(level)
        return Order(users=self._users, step=self._id)

    def _advance(self, held: _Held, view: View) -> Step | None:
        """Go on to the next phase where it is time; the step, once it is over."""
        if held.hold.purpose in UNSETTLED:
            return self._unsettled(held, view)
        late = view.elapsed >= held.hold.end_by - held.hold.tail_s
        if held.opened_at is None:
            if held.hold.purpose is Purpose.RECOVERY and self._is_dead(held, view):
                return self._dead_step(held, view)
            if late or self._is_settled(held, view):
                self._id += 1
                held.cohort, held.opened_at, held.in_progress = self._id, view.elapsed, []
            return None
        if held.closed_at is None:
            return self._watch(held, view)
        cohort = view.cohorts.get(held.cohort, Cohort())
        step = self._step(held, view)
        overdue = view.elapsed > held.closed_at + self._deadline_s + _TAIL_SLACK_S
        decided = cohort.closed and is_settled_case(self._book, step)
        if cohort.complete or decided or overdue:
            return step
        return replace(step, is_cut=True) if view.elapsed >= held.hold.end_by else None

    def _unsettled(self, held: _Held, view: View) -> Step | None:
        """Over once enough tasks have ended; a wave as soon as every one has moved, too."""
        assert held.opened_at is not None  # noqa: S101 - it is open from the start
        open_s = view.elapsed - held.opened_at
        ended = sum(cohort.ended for cohort in view.cohorts.values()) - held.ended_before
        none_waits = held.hold.purpose is Purpose.WAVE and not _waiting(view)
        is_told = open_s >= held.hold.seconds and (none_waits or ended >= held.hold.tasks)
        if not is_told and open_s < held.hold.limit_s and view.elapsed < held.hold.end_by:
            return None
        held.closed_at = view.elapsed
        return self._step(held, view)

    def _watch(self, held: _Held, view: View) -> Step | None:
        """The cohort is open: close it when it has enough tasks, or when it is hopeless."""
        assert held.opened_at is not None  # noqa: S101 - called for an open cohort alone
        open_s = view.elapsed - held.opened_at
        started = view.cohorts.get(held.cohort, Cohort()).started
        enough = open_s >= held.hold.seconds and started >= held.hold.tasks
        hopeless = round(open_s) % _HOPELESS_EVERY_S == 0 and is_hopeless(self._book, self._step(held, view))
        late = view.elapsed >= held.hold.end_by - held.hold.tail_s
        if enough or hopeless or late or open_s >= held.hold.limit_s:
            held.closed_at = view.elapsed
            self._id += 1
        return self._step(held, view) if hopeless or self._fails_alone(held) else None

    def _fails_alone(self, held: _Held) -> bool:
        """Whether a lone user's tasks fail: nothing is to be learnt from more of them."""
        tasks = self._records[held.cohort]
        return (
            held.hold.purpose is Purpose.BASELINE and bool(tasks) and all(one.error or one.violations for one in tasks)
        )

    def _step(self, held: _Held, view: View) -> Step:
        """What the cohort has come to by now."""
        assert held.opened_at is not None  # noqa: S101 - called for an open cohort alone
        records = tuple(self._records[held.cohort])
        ended = sum(record.outcome is not Outcome.DROPPED for record in records)
        closed_at = view.elapsed if held.closed_at is None else held.closed_at
        health = view.health.get(held.cohort)
        return Step(
            number=self._steps,
            hold=held.hold,
            settled_at=held.opened_at,
            closed_at=closed_at,
            ended_at=view.elapsed,
            records=records,
            unfinished=max(0, view.cohorts.get(held.cohort, Cohort()).started - ended),
            steady=held.steady,
            recovery_s=held.recovery_s,
            waiting=_waiting(view),
            in_progress=_mean([count for at, count in held.in_progress if at <= closed_at]),
            problems=(*view.problems, *(health.unsound if health else ())),
            late=health.late if health else (),
            lateness_s=health.lateness_s if health else 0.0,
        )

    def _is_settled(self, held: _Held, view: View) -> bool:
        hold, now = held.hold, view.elapsed
        if held.reached_at is None:
            wanted = self._users if self._arrivals else round(hold.level)
            late = now - held.ordered_at > hold.settle_limit_s + self._deadline_s
            if self._users != wanted or (view.users != wanted and not late):
                return False
            held.reached_at = now
            held.in_progress = [(now, held.in_progress[-1][1])]
        if hold.purpose is Purpose.RECOVERY:
            return self._has_recovered(held, view)
        limit = self._book.longest_limit_s("task")
        if self._arrivals and limit is not None and held.in_progress[-1][1] > hold.level * limit:
            return True  # by Little's law the mean task will be late already
        waited = now - held.reached_at
        if waited < hold.settle_s:
            return False
        if hold.purpose is Purpose.BASELINE:
            return True
        held.steady = _is_level(held.in_progress, max(_LEAST_WINDOW_S, hold.settle_s / 2))
        return held.steady or waited >= hold.settle_limit_s

    def _has_recovered(self, held: _Held, view: View) -> bool:
        """Cut the time since the order into windows, each with a step id of its own, and look for two good ones."""
        assert held.reached_at is not None  # noqa: S101 - called once it is
        width = max(_LEAST_WINDOW_S, held.hold.settle_s)
        if not held.windows or view.elapsed - held.windows[-1][1] >= width:
            self._id += 1
            held.windows.append((self._id, view.elapsed))
        good_since: float | None = None
        run = 0
        for number, began_at in held.windows[:-1]:
            if not view.cohorts.get(number, Cohort()).complete:
                break
            if not self._records[number]:
                continue
            is_good = self._is_good_window(number)
            run = run + 1 if is_good else 0
            good_since = (began_at if run == 1 else good_since) if is_good else None
            if run == 2 and good_since is not None:
                held.recovery_s = good_since - held.ordered_at
                return True
        return view.elapsed - held.ordered_at >= held.hold.settle_limit_s

    def _is_good_window(self, number: int) -> bool:
        """Whether a window's tasks are within the objectives, as far as so few can tell."""
        window = Step(-1, Hold(1, Purpose.RECOVERY, 0, 0, 0, 0, 0), 0, 1, 1, tuple(self._records[number]))
        seen = assess(self._book, window)
        return not seen.has_failed and all(2 * one.tally.bad < max(1, one.tally.total) for one in seen.wanted)

    def _is_dead(self, held: _Held, view: View) -> bool:
        """Whether nothing at all has been finished for a while, although tasks were started."""
        if view.elapsed - held.ordered_at < _DEAD_S:
            return False
        tasks = self._windows(held)
        return bool(tasks) and all(record.outcome is Outcome.FAILED for record in tasks)

    def _windows(self, held: _Held) -> tuple[TaskRecord, ...]:
        return tuple(record for number, _ in held.windows for record in self._records[number])

    def _dead_step(self, held: _Held, view: View) -> Step:
        """The step of a server that did not come back: its tasks are those of the windows, all of them failed."""
        held.opened_at, held.closed_at = held.ordered_at, view.elapsed
        return replace(self._step(held, view), records=self._windows(held), unfinished=0)


def _waiting(view: View) -> int:
    """Tasks that have shown nothing yet."""
    return sum(cohort.started - cohort.moved for cohort in view.cohorts.values())


def _mean(counts: list[int]) -> float:
    return sum(counts) / len(counts) if counts else 0.0


def _is_level(samples: list[tuple[float, int]], width: float) -> bool:
    """Whether tasks in progress have stayed the same over the last two windows, as far as their noise tells."""
    last = samples[-1][0]
    recent = [count for at, count in samples if at > last - width]
    before = [count for at, count in samples if last - 2 * width < at <= last - width]
    if not before:
        return False
    mean = (_mean(recent) + _mean(before)) / 2
    return abs(_mean(recent) - _mean(before)) <= max(_STEADY_CHANGE * mean, math.sqrt(mean))
