"""The way into a run on Locust for those who must not import Locust before there is one: it patches the process."""

from __future__ import annotations

import time

from sendpoll.core.interruption import CutShortError, Interruption
from sendpoll.load.engine import Controller, Fleet, Progress, RunResult, Workload
from sendpoll.load.measure.metrics import Metrics


def run(
    workload: Workload,
    controller: Controller,
    *,
    fleet: Fleet | None = None,
    progress: Progress | None = None,
    interruption: Interruption | None = None,
) -> RunResult:
    """Hold the load that the controller orders, drain, and hand back everything that was measured.

    Blocks until the end. SIGINT, SIGTERM and SIGHUP end it within seconds; `RunResult.cut_by` says so then. Who has
    more to do than this run hands in the interruption that holds for all of it. Raises EngineError when the run cannot
    begin (the port for workers is taken, no worker comes).

    The process is monkey-patched by gevent from then on, so a program that lives on should run this in a process of
    its own.
    """
    if interruption is None:
        with Interruption() as own:
            return run(workload, controller, fleet=fleet, progress=progress, interruption=own)
    try:
        with interruption.whole():
            from sendpoll.load.on_locust.runner import hold  # noqa: PLC0415 - it imports Locust: the process is patched

        return hold(workload, controller, fleet or Fleet(), progress, interruption)
    except CutShortError as cut:
        return nothing_held(workload, cut.number)


def nothing_held(workload: Workload, cut_by: int) -> RunResult:
    """What comes of a run that a signal ended before its first user."""
    nothing = Metrics(workload.scenario.service_level)
    return RunResult(nothing, {}, {}, (), started_at=time.time(), seconds=0.0, cut_by=cut_by)


def linger(interruption: Interruption) -> None:
    """After a run, keep what it serves (Locust's web page) until a signal comes, such as that of Ctrl-C."""
    import gevent.event  # noqa: PLC0415 - `run` has imported it by now

    enough = gevent.event.Event()
    with interruption.during(lambda _: enough.set()):
        while not enough.wait(1.0):
            pass
