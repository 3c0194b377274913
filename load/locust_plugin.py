"""Our users under plain `locust`: what a locustfile imports, and the hooks that make Locust's run one of ours.

Locust starts and stops the users then; we measure, judge by the scenario's objectives when a run is stopped, and set
the exit code when Locust quits. The target is Locust's host, with SENDPOLL_TOKEN for a token, or SENDPOLL_TARGET for a
target file. With SENDPOLL_REPORT_DIR, all reports are written there; those of further runs that the web page starts,
into folders of their own within it.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any, ClassVar, Final, NoReturn

import gevent
import locust.runners
from locust import events
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from sendpoll.core.reports.console import consoles
from sendpoll.core.reports.files import make_folder, printed_anyway
from sendpoll.core.target.target import Target
from sendpoll.core.target.target_file import load_target
from sendpoll.core.target.url import TargetError
from sendpoll.load.engine import Fleet, Order, RunResult, Workload
from sendpoll.load.job import Job, conclude
from sendpoll.load.measure.machine_limits import raise_open_files
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.on_locust.collector import LocalCollector, WorkerCollector
from sendpoll.load.on_locust.runner import patience_of, run_name, spare_the_collector
from sendpoll.load.on_locust.user import TaskUser, attach
from sendpoll.load.on_locust.web import add_tab
from sendpoll.load.report.result_files import write_load_reports
from sendpoll.load.report.result_terminal import print_summary
from sendpoll.load.report.tasks import TaskLog
from sendpoll.load.results.verdict import ExitCode
from sendpoll.load.scenario.scenario import ScenarioError
from sendpoll.load.scenario.scenario_file import load_scenario
from sendpoll.load.users.generator import Generator

DRAIN: Final = "sendpoll_drain"
REPORT: Final = "sendpoll"
_REPORT_S: Final = 1.0


class SendpollUser(TaskUser):
    """One person who sends and polls. Derive from it in a locustfile and name a scenario."""

    abstract = True
    scenario: ClassVar[str] = "smoke"
    """A shipped scenario or the path of a file. Its shape is not used: Locust says how many users there are."""


class PluginRun:
    """The runs of one environment, one after the other: the web page may start many."""

    def __init__(self, environment: Environment, user_class: type[SendpollUser]) -> None:
        self._environment = environment
        self._user_class = user_class
        self._workload: Workload | None = None
        self._generator: Generator | None = None
        self._collector: LocalCollector | WorkerCollector | None = None
        self._tasks: TaskLog | None = None
        self._started_at = 0.0
        self._began_at = 0.0
        self._number = 0
        self._code: ExitCode | None = None
        """The verdict on the last run; None while one is held, and before the first."""

    def hook(self) -> None:
        """Take part in what Locust does."""
        raise_open_files()
        environment = self._environment
        environment.events.test_start.add_listener(self._on_start)
        add_tab(environment, self._metrics)
        if isinstance(environment.runner, WorkerRunner):
            locust.runners.WORKER_REPORT_INTERVAL = _REPORT_S
            environment.runner.register_message(DRAIN, self._on_drain)
            environment.events.report_to_master.add_listener(self._on_report)
            return
        environment.events.test_stop.add_listener(self._on_stop)
        environment.events.quitting.add_listener(self._on_quitting)
        if isinstance(environment.runner, MasterRunner):
            environment.events.worker_report.add_listener(self._on_worker_report)
            environment.events.test_stopping.add_listener(self._on_stopping)

    def _metrics(self) -> Metrics | None:
        return self._collector.metrics if self._collector else None

    def _on_start(self, **_: Any) -> None:
        workload = self._workload = _workload(self._environment, self._user_class)
        # Locust's default is to stop users in the middle of their tasks.
        self._environment.stop_timeout = max(self._environment.stop_timeout, patience_of(workload))
        self._code = None
        self._number += 1
        self._open_log(workload)
        self._started_at, self._began_at = time.time(), time.perf_counter()
        runner = self._environment.runner
        if isinstance(runner, MasterRunner):
            self._collector = WorkerCollector(workload.scenario)
            return
        if self._generator is not None:
            self._generator.stop()
        index = runner.worker_index if isinstance(runner, WorkerRunner) else 0
        self._generator = Generator(workload, run_name(), index)
        self._generator.begin(0.0)
        attach(self._environment, self._generator)
        spare_the_collector()
        if not isinstance(runner, WorkerRunner):
            self._collector = LocalCollector(self._generator)
            gevent.spawn(self._tick, self._generator)

    def _tick(self, generator: Generator) -> None:
        """Close a window each second, as long as the run is the present one."""
        while self._collector is not None and self._environment.runner is not None:
            gevent.sleep(1.0)
            if self._generator is not generator or self._code is not None:
                return
            self._collector.collect(self._environment.runner.user_count)
            self._log(self._collector)

    def _on_report(self, data: dict[str, Any], **_: Any) -> None:
        if self._generator is not None and self._environment.runner is not None:
            try:
                self._generator.tick(self._environment.runner.user_count)
                data[REPORT] = self._generator.report()
            except Exception as error:  # noqa: BLE001 - the next report tells of it; Locust would log it and go on
                self._generator.crashed(error)

    def _on_worker_report(self, client_id: str, data: dict[str, Any]) -> None:
        collector = self._collector
        if REPORT not in data or not isinstance(collector, WorkerCollector):
            return
        if client_id not in collector.workers:
            collector.joined(client_id, client_id)
        collector.reported(client_id, data[REPORT], data["user_count"])
        self._log(collector)

    def _on_stopping(self, **_: Any) -> None:
        """Locust's master leaves half a second after it told the workers to; tasks that run on would be lost."""
        collector, runner = self._collector, self._environment.runner
        if not isinstance(collector, WorkerCollector) or not isinstance(runner, MasterRunner):
            return
        collector.obey(Order(0))
        runner.send_message(DRAIN)
        deadline = time.perf_counter() + self._environment.stop_timeout
        while not collector.is_settled() and runner.worker_count and time.perf_counter() < deadline:
            gevent.sleep(0.2)

    def _on_drain(self, **_: Any) -> None:
        runner = self._environment.runner
        assert runner is not None  # noqa: S101 - it has just received a message
        gevent.spawn(runner.stop_users, runner.user_classes_count)

    def _on_quitting(self, **_: Any) -> None:
        """Set the exit code, whatever it comes to: without one Locust would make up its own."""
        if self._environment.runner is not None:
            self._environment.runner.quit()  # a run that is still held is stopped, and judged
        if self._code is not None:
            self._environment.process_exit_code = int(self._code)

    def _on_stop(self, **_: Any) -> None:
        """Judge and report: all users have stopped, and another run may begin at any time."""
        collector, workload = self._collector, self._workload
        if collector is None or workload is None or self._code is not None:
            return
        if isinstance(collector, LocalCollector):
            collector.collect(0)
        self._log(collector)
        held = RunResult(
            metrics=collector.metrics,
            cohorts=collector.cohorts(),
            health=collector.health,
            problems=tuple(collector.problems),
            started_at=self._started_at,
            seconds=time.perf_counter() - self._began_at,
            workers=len(collector.workers) if isinstance(collector, WorkerCollector) else 0,
            unreachable=collector.unconnected if not collector.answered and collector.unconnected else None,
            samples=collector.samples,
            connections=collector.connections,
        )
        job = Job(workload=workload, fleet=Fleet(), report_dir=self._folder())
        result, verdict = conclude(job, held)
        self._code = verdict.code
        with printed_anyway(lambda: print_summary(result, consoles()[1])):
            if job.report_dir and self._tasks is not None:
                write_load_reports(result, self._tasks, job.report_dir)

    def _open_log(self, workload: Workload) -> None:
        folder = None if isinstance(self._environment.runner, WorkerRunner) else self._folder()
        if folder is not None:
            make_folder(folder)
        if self._tasks is not None:
            self._tasks.close()
        self._tasks = TaskLog(folder, workload.target.secrets)

    def _log(self, collector: LocalCollector | WorkerCollector) -> None:
        if self._tasks is not None:
            self._tasks.add(collector.metrics.take_records())

    def _folder(self) -> Path | None:
        """Where the reports of this run belong: no run may overwrite the one before it."""
        folder = os.environ.get("SENDPOLL_REPORT_DIR")
        if not folder:
            return None
        return Path(folder) if self._number == 1 else Path(folder, f"run-{self._number}")


def _workload(environment: Environment, user_class: type[SendpollUser]) -> Workload:
    """What the environment and the class describe. Ends Locust where they make no sense."""
    try:
        scenario = load_scenario(user_class.scenario)
        file = os.environ.get("SENDPOLL_TARGET")
        target = load_target(Path(file), os.environ) if file else Target()
        host, token = environment.host or user_class.host, os.environ.get("SENDPOLL_TOKEN")
        target = dataclasses.replace(target, base_url=host or target.base_url, token=token or target.token)
    except (ScenarioError, TargetError) as problem:
        _give_up(str(problem))
    return Workload(target, scenario)


def _give_up(sentence: str) -> NoReturn:
    sys.stderr.write(f"Error: {sentence}\n")
    sys.exit(ExitCode.USAGE)


def _on_init(environment: Environment, **_: Any) -> None:
    """Hook into an environment that runs users of ours."""
    classes = [one for one in environment.user_classes if issubclass(one, SendpollUser)]
    if not classes:
        return
    if any(one.scenario != classes[0].scenario for one in classes):
        _give_up("the user classes of a locustfile must name one and the same scenario")
    PluginRun(environment, classes[0]).hook()


events.init.add_listener(_on_init)
