"""One `sendpoll load`: hold the scenario's shape, decide, write the reports, and say it all in an exit code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sendpoll.core.interruption import Interruption
from sendpoll.core.network_cost import NetworkJson
from sendpoll.core.reports.console import SafeConsole
from sendpoll.core.reports.files import make_folder, printed_anyway
from sendpoll.core.target.target import Target
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.abort import AbortOnFail
from sendpoll.load.bounded import BoundedController
from sendpoll.load.engine import Fleet, Order, RunResult, View, Workload
from sendpoll.load.export.outlets import Outlets, OutletSettings
from sendpoll.load.live import LiveProgress
from sendpoll.load.measure.health import overall
from sendpoll.load.measure.spending import Spending
from sendpoll.load.observe.observer import Observer, Recording
from sendpoll.load.observe.sources import Sources
from sendpoll.load.on_locust.load_run import linger, run
from sendpoll.load.report.result_files import write_load_reports
from sendpoll.load.report.result_terminal import print_summary
from sendpoll.load.report.tasks import TaskLog
from sendpoll.load.restarting import Restarting, RestartOrder
from sendpoll.load.results.compare import CompareError, compare, read_result, refuse_unlike
from sendpoll.load.results.load_result import RunFacts, load_result
from sendpoll.load.results.result_json import LoadResult
from sendpoll.load.results.verdict import ExitCode, InconclusiveAs, RunVerdict
from sendpoll.load.shapes import ShapeController


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Everything that `sendpoll load` was asked for."""

    workload: Workload
    fleet: Fleet
    report_dir: Path | None = None
    compare: Path | None = None
    """The `result.json` of an earlier run."""
    inconclusive: InconclusiveAs = "inconclusive"
    sources: Sources = field(default_factory=Sources)
    """What is watched beside the load."""
    outlets: OutletSettings = field(default_factory=OutletSettings)
    """Where the numbers go while the run lasts."""
    spending: Spending = field(default_factory=Spending)
    restart: RestartOrder | None = None
    network: Callable[[], NetworkJson] | None = None
    """Ends the faults of the network through which users send, and tells what they cost."""
    abort_after_s: float | None = None
    """From when on a failed objective ends the run; None: it goes on to its end."""


def warn_of_tls(target: Target, err: SafeConsole) -> None:
    """Say that anybody may sit between, where the certificate is not looked at."""
    if target.is_tls and not target.verify_tls:
        err.print("Warning: the server's certificate is not verified.", style="yellow")


def run_job(job: Job, out: SafeConsole, err: SafeConsole, interruption: Interruption) -> ExitCode:
    """Do the whole job.

    Raises EngineError, ObserveError or CompareError where it cannot begin, OSError where its folder cannot be written
    to, and ReportFileError where a report could not be written in the end; then the result is printed all the same.
    """
    scenario = job.workload.scenario
    if job.report_dir:
        make_folder(job.report_dir)
    err.print(f"{scenario.name}: {job.workload.target.base_url}, {_shape(job)}", style="dim")
    warn_of_tls(job.workload.target, err)
    if job.fleet.web_port is not None:
        err.print(f"Page: http://127.0.0.1:{job.fleet.web_port}")
    before = _earlier(job)
    with TaskLog(job.report_dir, job.workload.target.secrets) as tasks, Observer(job.sources) as observer:
        with Outlets(job.outlets, job.workload, err) as outlets, LiveProgress(err) as live:
            shape = ShapeController(scenario.shape, scenario.start_spread_s)
            controller = AbortOnFail(BoundedController(shape, job.workload.max_messages), job.abort_after_s)

            restarting = Restarting(job.restart, job.workload.target)

            def progress(view: View, order: Order) -> None:
                restarting.note(view)
                tasks.add(view.records)
                observer.note(view.elapsed, view.users)
                outlets(view)
                live(view, order)

            held = run(job.workload, controller, fleet=job.fleet, progress=progress, interruption=interruption)
            outlets.finish(held)
            restarting.finish()
        held.problems = (*held.problems, *filter(None, (restarting.problem,)))
        result, verdict = conclude(job, held, observer.finish())
        _tell_of_faults(job, restarting, result)
        if controller.because:
            result["aborted"] = controller.because
        if before is not None:
            verdict = _compare(before, result, verdict, err)
        with printed_anyway(lambda: print_summary(result, out)):
            if job.report_dir:
                write_load_reports(result, tasks, job.report_dir)
    if job.report_dir:
        err.print(f"\nReports: {job.report_dir}", style="dim")
    if job.fleet.web_port is not None and err.is_terminal and held.cut_by is None:
        err.print("The page stays until Ctrl-C.", style="dim")
        linger(interruption)
    return verdict.code


def _tell_of_faults(job: Job, restarting: Restarting, result: LoadResult) -> None:
    """Add what a restart, and faults of the network, cost."""
    if restarting.tally is not None:
        result["restart"] = Redactor(job.workload.target.secrets).data(restarting.tally.told())
    if job.network is not None:
        result["network"] = job.network()


def _earlier(job: Job) -> LoadResult | None:
    """The result to compare with, refused before the load where it is of another workload. Raises CompareError."""
    if job.compare is None:
        return None
    scenario = job.workload.scenario
    before = read_result(job.compare)
    refuse_unlike(before, {"workload_digest": scenario.digest, "scenario": scenario.as_json()})
    return before


def _compare(before: LoadResult, result: LoadResult, verdict: RunVerdict, err: SafeConsole) -> RunVerdict:
    """Add the comparison to the result. A run that kept its objectives fails all the same if it got worse."""
    try:
        comparison = compare(before, result)
    except CompareError as refused:
        err.print(f"Not compared: {refused}")
        return verdict
    result["comparison"] = comparison.as_json()
    if not comparison.worse or verdict.code not in {ExitCode.PASS, ExitCode.INCONCLUSIVE}:
        return verdict
    worse = RunVerdict(ExitCode.SLO_FAILED, "worse than the run before", (comparison.sentence, *verdict.reasons))
    result["verdict"], result["sentence"] = worse.word, worse.sentence
    result["reasons"], result["exit_code"] = list(worse.reasons), int(worse.code)
    return worse


def conclude(job: Job, held: RunResult, recording: Recording | None = None) -> tuple[LoadResult, RunVerdict]:
    """The content of `result.json`, and the verdict."""
    health = overall(held.health)
    facts = RunFacts(
        target=job.workload.target,
        scenario=job.workload.scenario,
        seed=job.workload.seed,
        started_at=held.started_at,
        seconds=held.seconds,
        workers=held.workers,
        generator=health.as_json(),
        problems=(*held.problems, *health.problems),
        unreachable=held.unreachable,
        cut_by=held.cut_by,
        samples=held.samples,
        connections=held.connections,
        recording=recording,
        spending=job.spending,
    )
    return load_result(facts, held.metrics, job.inconclusive)


def _shape(job: Job) -> str:
    return ", ".join(f"{key} {value}" for key, value in job.workload.scenario.shape.as_json().items() if key != "kind")
