"""Asks the controller once a second what to hold, has Locust hold it, and ends the run without losing a task.

It is a Locust load shape, so that Locust's own machinery, the web UI included, starts and stops the users.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import gevent.event
from locust import LoadTestShape

from sendpoll.load.engine import Controller, Order, Progress, View
from sendpoll.load.measure.crash import crash_problems, crash_text
from sendpoll.load.on_locust.collector import Collector

_UNREACHABLE_AFTER_S: Final = 3.0
"""How long nobody may have found the server before the run is given up."""
_DRAIN_SLACK_S: Final = 10.0
"""Beyond the longest that a task can take, for workers to report."""
_MOST_SPAWNED: Final = 500
"""Users a second: more at once would keep the event loop busy for too long."""

Tick = tuple[int, float] | None


class Conductor(LoadTestShape):
    """Holds what the controller orders; drains when it ends, when it is interrupted, and when no server is there."""

    def __init__(
        self,
        controller: Controller,
        collector: Collector,
        progress: Progress | None,
        patience: float,
        redact: Callable[[str], str] = str,
    ) -> None:
        """`patience` is how long, in seconds, a user may need to end; `redact` takes secrets out of a text."""
        super().__init__()  # type: ignore[no-untyped-call]  # Locust leaves it untyped
        self.done = gevent.event.Event()
        """Set when everything has ended and has been counted."""
        self.cut_by: int | None = None
        """The signal that cut the run short."""
        self._ends_early = False
        self.unreachable: str | None = None
        self.failure: Exception | None = None
        """What broke the conductor itself; `run` raises it."""
        self.problems: tuple[str, ...] = ()
        """What broke the controller: the run ends as if it had said so, and is invalid."""
        self.began_at = 0.0
        self.ended_at = 0.0
        self.lasts_on = False
        """Whether Locust goes on after the run, as it does under its web UI."""
        self._controller = controller
        self.collector = collector
        self._progress = progress
        self._patience = patience
        self._redact = redact
        self._order = Order(0)
        self._draining_since: float | None = None
        self._asked_for = 0
        self._rate = 1.0
        self._short_for = 0

    def interrupt(self, by: int | None = None) -> None:
        """End the run early: start no task any more. `by` is the signal that asks for it, if it is one."""
        self._ends_early = True
        self.cut_by = by if self.cut_by is None else self.cut_by

    def give_up(self) -> None:
        """End the run as it stands, without those tasks and reports that have not come in."""
        if not self.done.is_set():
            self._show(self._view(time.perf_counter(), 0))
            self._finish()

    def tick(self) -> Tick:
        """What Locust is to hold now; called about once a second."""
        if self.done.is_set():
            return None if self.lasts_on else (0, self._rate)
        try:
            return self._tick()
        except Exception as failure:  # noqa: BLE001 - handed to whoever called `run`, once the users have been stopped
            self.failure = self.failure or failure
            self._finish()
            return (0, 1.0)

    def _tick(self) -> Tick:
        now = time.perf_counter()
        if not self.began_at:
            self.began_at = now
            self.collector.begin()
        users = self.runner.user_count if self.runner else 0
        self.collector.collect(users)
        view = self._view(now, users)
        if self._draining_since is None:
            self._decide(view, now)
        elif self._is_drained(users, now):
            self._finish()
        self._show(view)
        return self._users_for_locust(users)

    def _show(self, view: View) -> None:
        if self._progress:
            self._progress(view, self._order)

    def _view(self, now: float, users: int) -> View:
        collector = self.collector
        return View(
            elapsed=now - self.began_at,
            users=users,
            records=collector.metrics.take_records(),
            cohorts=collector.cohorts(),
            health=collector.health,
            metrics=collector.metrics,
            problems=tuple(collector.problems),
        )

    def _decide(self, view: View, now: float) -> None:
        collector = self.collector
        if not collector.answered and collector.unconnected and view.elapsed > _UNREACHABLE_AFTER_S:
            self.unreachable = collector.unconnected
        ends = self._ends_early or self.unreachable is not None
        order = None if ends else self._ask(view)
        if order is None:
            self._draining_since = now
            order = Order(0, self._order.step + 1, None if self._order.arrivals is None else 0.0)
        if order != self._order:
            self._order = order
            collector.obey(order)

    def _ask(self, view: View) -> Order | None:
        try:
            return self._controller.decide(view)
        except Exception as error:  # noqa: BLE001 - what was measured until now is still to be reported
            self.problems = crash_problems({self._redact(crash_text(error)): 1})
            return None

    def _is_drained(self, users: int, now: float) -> bool:
        if not users and self.collector.is_settled():
            return True
        return self._draining_since is not None and now - self._draining_since > self._patience + _DRAIN_SLACK_S

    def _finish(self) -> None:
        self.ended_at = time.perf_counter()
        self.done.set()

    def _users_for_locust(self, users: int) -> tuple[int, float]:
        """The order as Locust takes it. It acts on a change alone, so the rate changes a little to ask once more.

        That is needed where a rise was ordered while users of a fall before it still finished: Locust counted them.
        """
        wanted = self._order.users
        if wanted != self._asked_for:
            change = wanted - self._asked_for
            # Locust stops users in portions of the rate and waits for the last task of each: one portion is best.
            self._rate = float(min(_MOST_SPAWNED, change) if change > 0 else -change)
            self._asked_for = wanted
            self._short_for = 0
        elif users < wanted:
            self._short_for += 1
            if self._short_for >= 3 + wanted / self._rate:
                self._rate += 0.001
                self._short_for = 0
        else:
            self._short_for = 0
        return wanted, self._rate
