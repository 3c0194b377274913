"""The way into a run on Locust for those who must not import Locust before there is one: it patches the process."""

from __future__ import annotations

import contextlib

from sendpoll.load.engine import Controller, Fleet, Progress, RunResult, Workload


def run(
    workload: Workload, controller: Controller, *, fleet: Fleet | None = None, progress: Progress | None = None
) -> RunResult:
    """Hold the load that the controller orders, drain, and hand back everything that was measured.

    Blocks until the end. Ctrl-C drains early; a second one ends the process with exit code 130. Raises EngineError when
    the run cannot begin (the port for workers is taken, no worker comes).

    The process is monkey-patched by gevent from then on, so a program that lives on should run this in a process of
    its own.
    """
    from sendpoll.load.on_locust.runner import hold  # noqa: PLC0415 - it imports Locust, which patches the process

    return hold(workload, controller, fleet or Fleet(), progress)


def linger() -> None:
    """After a run, keep what it serves (Locust's web page) until Ctrl-C."""
    import gevent  # noqa: PLC0415 - `run` has imported it by now

    with contextlib.suppress(KeyboardInterrupt):
        while True:
            gevent.sleep(3600)
