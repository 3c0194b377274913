"""Runs a workload on Locust: in this process, in worker processes of this machine, or in workers of others."""

from __future__ import annotations

import dataclasses
import gc
import logging
import secrets
import signal
import time
from typing import Final

from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner

from sendpoll.core.interruption import Interruption
from sendpoll.core.text.secrets import Redactor
from sendpoll.load.engine import Controller, Fleet, Progress, RunResult, Workload
from sendpoll.load.measure.machine_limits import raise_open_files
from sendpoll.load.on_locust.collector import LocalCollector, WorkerCollector
from sendpoll.load.on_locust.conductor import Conductor
from sendpoll.load.on_locust.locust_clock import steady_locust
from sendpoll.load.on_locust.master import Master
from sendpoll.load.on_locust.user import Person, attach
from sendpoll.load.on_locust.web import open_page
from sendpoll.load.users.generator import Generator

MASTER_GONE: Final = 4
"""What a worker process ends with whose master is gone."""
_WATCH_S: Final = 0.2
_CUT_S: Final = 3.0
"""How long a run that was cut short may take to come to its end by itself."""
_STOP_SLACK_S: Final = 5.0


def hold(
    workload: Workload, controller: Controller, fleet: Fleet, progress: Progress | None, interruption: Interruption
) -> RunResult:
    """Run to the end; see `sendpoll.load.on_locust.run.run`."""
    quieten_locust()
    steady_locust()
    raise_open_files()
    environment = Environment(
        user_classes=[Person], host=workload.target.base_url, stop_timeout=patience_of(workload) + _STOP_SLACK_S
    )
    if fleet.processes or fleet.master:
        collector = WorkerCollector(workload.scenario)
        redact = Redactor(workload.target.secrets).text
        conductor = Conductor(controller, collector, progress, patience_of(workload), redact)
        return _hold_with_workers(environment, workload, conductor, fleet, interruption)
    generator = Generator(workload, run_name())
    attach(environment, generator)
    redact = generator.redactor.text
    conductor = Conductor(controller, LocalCollector(generator), progress, patience_of(workload), redact)
    environment.shape_class = conductor
    environment.create_local_runner()
    spare_the_collector()
    try:
        return conduct(environment, conductor, fleet, interruption)
    finally:
        generator.stop()


def _hold_with_workers(
    environment: Environment, workload: Workload, conductor: Conductor, fleet: Fleet, interruption: Interruption
) -> RunResult:
    collector = conductor.collector
    assert isinstance(collector, WorkerCollector)  # noqa: S101 - `hold` has just made it
    environment.shape_class = conductor
    master = Master(environment, workload, collector, run_name())
    try:
        master.gather(fleet)
        return dataclasses.replace(conduct(environment, conductor, fleet, interruption), workers=len(collector.workers))
    finally:
        master.close()


def conduct(environment: Environment, conductor: Conductor, fleet: Fleet, interruption: Interruption) -> RunResult:
    """Start the conductor's run, wait for its end, and hand back what came of it."""
    runner = environment.runner
    assert isinstance(runner, LocalRunner | MasterRunner)  # noqa: S101 - both ways here have just made one
    if fleet.web_port is not None:
        open_page(environment, lambda: conductor.collector.metrics, fleet.web_port)
    environment.events.test_stopping.add_listener(lambda **_: _drain(conductor, runner))
    started_at = time.time()
    cut_at: list[float] = []

    def cut(by: int) -> None:
        cut_at.append(time.perf_counter())
        _cut_short(environment, conductor, by)

    with interruption.during(cut):
        runner.start_shape()
        while not conductor.done.wait(_WATCH_S):
            if runner.shape_greenlet is None:  # Locust has ended it by itself: the last worker is gone
                conductor.interrupt()
                conductor.tick()
            if cut_at and time.perf_counter() - cut_at[0] > _CUT_S:
                conductor.give_up()
        problems = (*conductor.collector.problems, *conductor.problems)  # workers that end by order are no loss
        runner.quit()
    if conductor.failure is not None:
        raise conductor.failure
    collector = conductor.collector
    return RunResult(
        metrics=collector.metrics,
        cohorts=collector.cohorts(),
        health=collector.health,
        problems=problems,
        started_at=started_at,
        seconds=conductor.ended_at - conductor.began_at,
        cut_by=conductor.cut_by,
        unreachable=collector.unconnected if collector.unconnected and not collector.answered else None,
        samples=collector.samples,
        connections=collector.connections,
    )


def _drain(conductor: Conductor, runner: LocalRunner | MasterRunner) -> None:
    """Let a run that Locust stops come to its end before the users are stopped in Locust's own way.

    It stops one when that is asked for on its page, which is to cut it short, and when its last worker is lost.
    """
    if not conductor.done.is_set():  # else it is the end of the run that stops the users
        deserted = isinstance(runner, MasterRunner) and not runner.worker_count
        conductor.interrupt(None if deserted else signal.SIGINT)
    conductor.done.wait()


def patience_of(workload: Workload) -> float:
    """The longest that a user can need to come to an end, in seconds."""
    return workload.scenario.task_deadline_s + workload.target.timeouts.exchange


def run_name() -> str:
    """A name that tells this run's traces on the server from those of others."""
    return secrets.token_hex(4)


def spare_the_collector() -> None:
    """Keep what exists by now out of Python's garbage collections: each would stop all users for a while."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def quieten_locust() -> None:
    """Locust comments on each step and each crash of a user; what matters of that is in our own report."""
    for name in ("locust.runners", "locust.user.task", "locust.user.users"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _cut_short(environment: Environment, conductor: Conductor, by: int) -> None:
    """Let no task go on and none begin: who asked for the end does not wait for answers."""
    environment.stop_timeout = 0
    conductor.interrupt(by)
