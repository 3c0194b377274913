"""One `sendpoll plan`: measure the generator, search on the real engine, look at polling, and write the reports."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from sendpoll.core.interruption import CutShortError, Interruption, signal_name
from sendpoll.core.reports.console import SafeConsole
from sendpoll.core.reports.files import make_folder, printed_anyway
from sendpoll.load.bounded import BoundedController
from sendpoll.load.doctor import DoctorError, measured_apart
from sendpoll.load.engine import Fleet, Order, RunResult, View, Workload
from sendpoll.load.export.outlets import Outlets, OutletSettings
from sendpoll.load.job import warn_of_tls
from sendpoll.load.live import LiveProgress
from sendpoll.load.measure.records import TaskRecord
from sendpoll.load.measure.spending import Spending
from sendpoll.load.observe.observer import Observer
from sendpoll.load.observe.sources import Sources
from sendpoll.load.on_locust.load_run import nothing_held, run
from sendpoll.load.plan.background import in_a_thread
from sendpoll.load.plan.controller import PlanController
from sendpoll.load.plan.fixed_levels import HeldSteps
from sendpoll.load.plan.judge import assess
from sendpoll.load.plan.learnt import Learnt
from sendpoll.load.plan.model_search import ModelSearch
from sendpoll.load.plan.outcome import Conclusion, End
from sendpoll.load.plan.polling import PollCost, poll_cost, slope_at
from sendpoll.load.plan.queueing.capacity_forecast import forecast
from sendpoll.load.plan.queueing.predict import Users
from sendpoll.load.plan.report.files import write_plan_reports
from sendpoll.load.plan.report.terminal import print_plan, step_line
from sendpoll.load.plan.result import PlanFacts, plan_result
from sendpoll.load.plan.search import Search
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.steps import Hold, Purpose, Step
from sendpoll.load.plan.tallies import Observations
from sendpoll.load.results.verdict import ExitCode

_DRAIN_S: Final = 20.0
"""Kept of the budget for the last tasks, after the search has ended."""
_LEAST_BUDGET_S: Final = 60.0
_POLLS_HOLD_S: Final = 30.0
_THINKS: Final = 2000
"""Think times that the model's users draw from: enough for their mean to be right within 2 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanJob:
    """Everything that `sendpoll plan` was asked for."""

    workload: Workload
    settings: Settings
    fleet: Fleet = field(default_factory=Fleet)
    quick: bool = False
    required: float | None = None
    poll_intervals: Sequence[float] = ()
    """Seconds; after the search, the answer is held with each of them."""
    doctor: bool = True
    """Measure the generator first."""
    report_dir: Path | None = None
    sources: Sources = field(default_factory=Sources)
    """What is watched beside the load."""
    outlets: OutletSettings = field(default_factory=OutletSettings)
    """Where the numbers go while the plan lasts."""
    spending: Spending = field(default_factory=Spending)
    notes: Sequence[str] = ()
    """What a reader must know besides, a sentence each."""


def run_plan(job: PlanJob, out: SafeConsole, err: SafeConsole, interruption: Interruption) -> ExitCode:
    """Do the whole job.

    Raises EngineError or ObserveError where it cannot begin, OSError where its folder cannot be written to, and
    ReportFileError where a report could not be written in the end; then the answer is printed all the same.
    """
    began = time.monotonic()
    if job.report_dir:
        make_folder(job.report_dir)
    warn_of_tls(job.workload.target, err)
    ceiling, notes = _ceiling(job, err)
    spent = time.monotonic() - began
    budget = max(_LEAST_BUDGET_S, job.settings.budget_s - spent - _DRAIN_S)
    settings = replace(job.settings, generator_requests=ceiling, budget_s=budget)
    observations = Observations(settings.service, arrivals=settings.arrivals)
    search = Search(settings, observations)
    observer, outlets = Observer(job.sources), Outlets(job.outlets, job.workload, err)
    watch = _Watch(err, observations, observer, outlets)
    model = ModelSearch(settings, search, lambda: controller.log, _users(job.workload), forecast)
    controller = PlanController(
        model.run(),
        observations,
        task_deadline_s=settings.task_deadline_s,
        arrivals=settings.arrivals,
        on_step=watch.on_step,
        background=in_a_thread,
    )
    with observer, outlets, LiveProgress(err) as progress:
        watch.progress = progress
        bounded = BoundedController(controller, job.workload.max_messages)
        held = _held(job, bounded, watch, interruption)
        recording = observer.finish()
        outlets.finish(held)
    conclusion = (
        _stopped(search, held)
        if held.cut_by is not None
        else (controller.conclusion or _stopped(search, held, is_spent=bounded.is_spent))
    )
    polls = _polls(job, settings, search, conclusion, err, interruption)
    if interruption.number is not None and held.cut_by is None:
        held.cut_by = interruption.number
        conclusion = _stopped(search, held)
    facts = PlanFacts(
        workload=job.workload,
        settings=replace(settings, budget_s=job.settings.budget_s),
        observations=observations,
        conclusion=conclusion,
        run=held,
        levels=watch.levels,
        records=watch.records,
        recording=recording,
        spending=job.spending,
        polls=polls,
        learnt=None if model.forecast is None else Learnt(model.forecast, model.thrown_out),
        required=job.required,
        quick=job.quick,
        notes=[*job.notes, *notes],
    )
    return _tell(facts, job, out, err)


def _tell(facts: PlanFacts, job: PlanJob, out: SafeConsole, err: SafeConsole) -> ExitCode:
    """Write the reports, print the answer, and say what the process ends with."""
    result, code = plan_result(facts)
    with printed_anyway(lambda: print_plan(result, out)):
        if job.report_dir:
            write_plan_reports(result, facts.records, job.report_dir, job.workload.target.secrets)
    if job.report_dir:
        err.print(f"\nReports: {job.report_dir}", style="dim")
    return code


def _users(workload: Workload) -> Users:
    """What the model must know of a workload's users: think times as they draw them, and how often they poll."""
    scenario, source = workload.scenario, random.Random(workload.seed)
    thinks = tuple(scenario.think_time.draw(source) for _ in range(_THINKS))
    return Users(thinks, scenario.poll_interval_s)


def _held(job: PlanJob, controller: BoundedController, watch: _Watch, interruption: Interruption) -> RunResult:
    """What came of the search on the real engine; nothing where somebody ended it before it began."""
    if interruption.number is not None:
        return nothing_held(job.workload, interruption.number)
    return run(job.workload, controller, fleet=job.fleet, progress=watch, interruption=interruption)


def _ceiling(job: PlanJob, err: SafeConsole) -> tuple[float | None, list[str]]:
    """What the generator can do at most, in requests a second, and what to say about it."""
    if job.fleet.master:
        return None, ["the workers run on other machines, so how much they can generate was not measured beforehand"]
    if not job.doctor:
        return None, ["how much the generator can do was not measured beforehand"]
    err.print("Measuring what this machine can generate ...", style="dim")
    try:
        ceiling = measured_apart(job.fleet.processes)
    except DoctorError as problem:
        return None, [str(problem)]
    except CutShortError:
        return None, ["what the generator can do was still being measured"]
    return ceiling.requests_per_second, []


class _Watch:
    """Shows a plan while it lasts, and notes which level was ordered when."""

    def __init__(self, err: SafeConsole, observations: Observations, observer: Observer, outlets: Outlets) -> None:
        self.levels: list[tuple[float, float]] = []
        self.records: list[TaskRecord] = []
        """Of the whole plan: its budget bounds how many there are."""
        self.progress: LiveProgress | None = None
        self._err = err
        self._book = observations
        self._observer = observer
        self._outlets = outlets

    def __call__(self, view: View, order: Order) -> None:
        """Note and show; the engine's progress."""
        self.records.extend(view.records)
        level = order.users if order.arrivals is None else order.arrivals
        if not self.levels or self.levels[-1][1] != level:
            self.levels.append((view.elapsed, level))
        self._observer.note(view.elapsed, level)
        self._outlets(view)
        if self.progress is not None:
            self.progress(view, order)

    def on_step(self, step: Step) -> None:
        """Tell of a step that is over."""
        self._err.print(step_line(assess(self._book, step)))


def _stopped(search: Search, held: RunResult, *, is_spent: bool = False) -> Conclusion:
    """The conclusion of a search that the engine ended before its time."""
    if held.unreachable is not None:
        return search.conclude(End.TARGET_UNHEALTHY, held.unreachable)
    if is_spent:
        return search.conclude(End.BUDGET, "all messages that it was allowed were sent")
    if held.cut_by is not None:
        return search.conclude(End.INTERRUPTED, f"it was cut short by {signal_name(held.cut_by)}")
    return search.conclude(End.GENERATOR_BOUND, "; ".join(held.problems) or "the load could not be held")


def _polls(
    job: PlanJob,
    settings: Settings,
    search: Search,
    conclusion: Conclusion,
    err: SafeConsole,
    interruption: Interruption,
) -> tuple[PollCost, ...]:
    """Hold the answer with each poll interval, as far as nobody ends it early."""
    best = search.capacity().level
    if (
        not job.poll_intervals
        or job.workload.max_messages is not None
        or best is None
        or conclusion.end not in {End.CONVERGED, End.BUDGET}
    ):
        return ()
    level = settings.rounded(best)
    costs = []
    for interval in job.poll_intervals:
        err.print(f"Polling each {interval:g} s at {level:g} {settings.unit} ...", style="dim")
        scenario = replace(job.workload.scenario, poll_interval_s=interval)
        cycle = max(5.0, search.timing.cycle_s)
        seconds = max(_POLLS_HOLD_S, 4 * cycle)
        hold = Hold(level, Purpose.POLLS, seconds, 1, seconds, settings.start_spread_s + cycle, 4 * cycle)
        controller = HeldSteps([hold], search.observations, settings)
        workload = replace(job.workload, scenario=scenario)
        run(workload, controller.controller, fleet=job.fleet, interruption=interruption)
        if interruption.number is not None:
            break
        costs += [_cost(interval, step, search.observations, best) for step in controller.steps]
    return tuple(costs)


def _cost(interval: float, step: Step, observations: Observations, best: float) -> PollCost:
    """The objective that binds says what the interval costs."""
    places = observations.places(observations.tiers[0])
    tallies = observations.tallies_of(step)
    place = min(
        places, key=lambda one: (tallies[one].good + 1) / (tallies[one].total + 1) - observations.objectives[one].share
    )
    slope = slope_at(observations.points(place), observations.objectives[place].share, best)
    return poll_cost(interval, step, tallies[place], observations.effect(place, step.level, tallies[place]), slope)
