"""What a run, or a plan, is to be expected to send and to take, before it sends anything."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sendpoll.core.interruption import Interruption
from sendpoll.core.target.traits import Beyond, Scope
from sendpoll.core.text.units import counted, short_seconds, three_digits
from sendpoll.load.bounded import BoundedController
from sendpoll.load.engine import EngineError, Order, View, Workload
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.spending import Spending
from sendpoll.load.on_locust.load_run import run
from sendpoll.load.scenario.distribution import Fixed
from sendpoll.load.scenario.shape import PoissonArrivals, Steady
from sendpoll.load.shapes import ShapeController

_TRIED_S: Final = (1.0, 10.0, 60.0)
"""What a task may take, where nobody knows."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a workload is expected to go."""

    workload: Workload
    spending: Spending
    task_s: float | None = None
    """What a task takes, if that is known."""
    known_from: str = ""

    def of_load(self) -> Iterator[str]:
        """A run of the scenario's shape, a line each."""
        shape = self.workload.scenario.shape
        yield f"It lasts {short_seconds(shape.duration_s)}, and then as long as its last tasks take."
        users = sum(shape.users_at(float(second)) for second in range(int(shape.duration_s)))
        yield from self._lines(functools.partial(self._sent, users, shape.duration_s))
        yield from self._bounds()

    def of_plan(self, budget_s: float, most: float, *, arrivals: bool) -> Iterator[str]:
        """A plan of so many seconds that holds at most a level."""
        yield f"It takes at most {short_seconds(budget_s)}; one that is sure of its answer ends before."
        if arrivals:
            sent = self._within(most * budget_s, budget_s, self.task_s)
            yield f"Messages: the rate decides, at most {self._counted(sent)} at --max-rate all the time."
        else:
            yield "Messages depend on how many users it holds: all would be at work the whole time at most."
            for level, what in ((1.0, "for 1 user"), (most, f"for {most:g} users, the most that it may hold")):
                sent_at = functools.partial(self._sent, level * budget_s, budget_s)
                yield from (f"{line} {what}" for line in self._lines(sent_at))
        yield from self._bounds()

    def _lines(self, sent: Callable[[float], float]) -> Iterator[str]:
        if self.task_s is not None:
            messages = self._counted(sent(self.task_s))
            yield f"A task takes {short_seconds(self.task_s)} ({self.known_from}): about {messages}"
            return
        for task_s in _TRIED_S:
            yield f"If a task takes {short_seconds(task_s)}: about {self._counted(sent(task_s))}"

    def _sent(self, user_seconds: float, seconds: float, task_s: float) -> float:
        scenario = self.workload.scenario
        if isinstance(scenario.shape, PoissonArrivals):
            return self._within(scenario.shape.rate * seconds, seconds, task_s)
        cycle = max(task_s, scenario.poll_interval_s) + scenario.think_time.mean
        return self._within(user_seconds / cycle * (1 + scenario.follow_up_share), seconds, task_s)

    def _within(self, sent: float, seconds: float, task_s: float | None) -> float:
        """No more than a server of so many tasks at once, which lets the others wait, gets done."""
        limit = self.workload.target.traits.limit(Scope.ALL)
        if limit is None or limit.beyond is Beyond.REFUSED or not task_s:
            return sent
        return min(sent, limit.most * seconds / task_s)

    def _counted(self, messages: float) -> str:
        bound = self.spending.bound
        count = round(messages) if bound is None else min(round(messages), bound)
        cost = self.spending.cost(count)
        return counted(count, "message") + ("" if cost is None else f", which cost {three_digits(cost)}")

    def _bounds(self) -> Iterator[str]:
        bound = self.spending.bound
        if bound is not None:
            yield f"No more than {counted(bound, 'message')} are sent, and the end comes with the last."
        if self.task_s is None:
            yield "What a task takes is not known: --probe sends one to see, `traits: task_seconds` declares it."


def forecast(workload: Workload, spending: Spending, probe: TaskRecord | None = None) -> Forecast:
    """What is known of the workload before it: from a probe, or from what the target file declares."""
    if probe is not None:
        return Forecast(workload, spending, probe.elapsed_s, "as one did just now")
    time = workload.target.traits.task_time
    if time is None:
        return Forecast(workload, spending)
    return Forecast(workload, spending, time.end, "as the target file declares")


def probed(workload: Workload, interruption: Interruption) -> TaskRecord:
    """One task, sent by one user. Raises EngineError where it did not end well."""
    records: list[TaskRecord] = []
    scenario = dataclasses.replace(
        workload.scenario,
        shape=Steady(users=1, duration_s=workload.scenario.task_deadline_s),
        start_spread_s=0.0,
        think_time=Fixed(0.0),
        follow_up_share=0.0,
        second_reader_share=0.0,
        abandon=None,
    )

    def keep(view: View, _: Order) -> None:
        records.extend(view.records)

    one = dataclasses.replace(workload, scenario=scenario, max_messages=1)
    held = run(one, BoundedController(ShapeController(scenario.shape), 1), progress=keep, interruption=interruption)
    if held.unreachable is not None:
        raise EngineError(f"the probe did not reach the server: {held.unreachable}")
    if not records or records[0].outcome is not Outcome.FINISHED:
        why = records[0].error or records[0].outcome.name.lower() if records else "it was cut short"
        raise EngineError(f"the probe's task did not finish: {why}; run sendpoll check")
    return records[0]
