"""How much this machine can generate: users that do nothing but poll a stub that costs almost nothing.

What comes out is the most requests a second that the generator can make and validate. A plan stays below 60 % of it:
beyond, its own delays would be in the answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from sendpoll.core.target.target import Target
from sendpoll.load.engine import Fleet, Order, Progress, View, Workload
from sendpoll.load.on_locust.load_run import run
from sendpoll.load.results.verdict import ExitCode
from sendpoll.load.scenario.distribution import Fixed
from sendpoll.load.scenario.scenario_file import load_scenario

WARM_UP_S: Final = 2.0
MEASURED_S: Final = 4.0
_USERS_A_PROCESS: Final = 64
_POLL_INTERVAL_S: Final = 0.001
_STOP_SECONDS: Final = 10


class DoctorError(Exception):
    """The generator could not be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """What the generator did at most."""

    requests_per_second: float
    seconds: float
    processes: int
    """Worker processes; 0: one process without workers."""
    cpu: float
    """Share of a core that the busiest generator process used; near 1 if the generator was the limit."""

    @property
    def users(self) -> int:
        """Users that poll each half second and that a plan may hold: 60 % of the ceiling."""
        return int(0.6 * self.requests_per_second / 2)


@contextlib.contextmanager
def stub(*arguments: str, module: str = "sendpoll.load.stub.stub") -> Iterator[str]:
    """A stub in a process of its own, for the length of a `with` block; yields its base URL."""
    command = [sys.executable, "-m", module, "--with-parent", *arguments]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own module
    assert child.stdin is not None  # noqa: S101 - asked for above
    assert child.stdout is not None  # noqa: S101 - asked for above
    with child.stdin, child.stdout as stdout:
        try:
            url = stdout.readline().strip()
            if not url:
                raise DoctorError("the stub server ended before it listened")
            yield url
        finally:
            child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


class Saturation:
    """A controller that holds as many users as keep the generator busy, and counts what it gets done."""

    def __init__(self, users: int) -> None:
        self.requests = 0
        self.seconds = 0.0
        self.cpu = 0.0
        self._users = users
        self._began: tuple[float, int] | None = None

    def decide(self, view: View) -> Order | None:
        """Warm up, then count."""
        done = view.metrics.total.polls + view.metrics.ledger.started
        if self._began is None:
            if view.elapsed >= WARM_UP_S:
                self._began = view.elapsed, done
            return Order(self._users, step=int(self._began is not None))
        self.seconds, self.requests = view.elapsed - self._began[0], done - self._began[1]
        if health := view.health.get(1):
            self.cpu = health.cpu
        return None if self.seconds >= MEASURED_S else Order(self._users, step=1)


def measure(processes: int = 0, progress: Progress | None = None) -> Ceiling:
    """Saturate the generator for some seconds. It imports Locust: see `measured_apart`. Raises DoctorError."""
    scenario = replace(
        load_scenario("smoke"),
        poll_interval_s=_POLL_INTERVAL_S,
        think_time=Fixed(0.0),
        start_spread_s=0.5,
    )
    controller = Saturation(_USERS_A_PROCESS * max(1, processes))
    with stub("--first", "0.2", "--interval", "0.2") as url:
        run(Workload(Target(base_url=url), scenario), controller, fleet=Fleet(processes=processes), progress=progress)
    if not controller.requests or not controller.seconds:
        raise DoctorError("not one request was answered by the stub")
    return Ceiling(controller.requests / controller.seconds, controller.seconds, processes, controller.cpu)


def measured_apart(processes: int = 0) -> Ceiling:
    """`measure` in a process of its own, so that nothing of it stays in this one. Raises DoctorError."""
    command = [sys.executable, "-m", "sendpoll.load.doctor", str(processes)]
    theirs, ours = os.pipe()  # it ends when this end is closed, and that is also where this process is killed
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            command, stdin=theirs, capture_output=True, text=True, check=False, timeout=120, start_new_session=True
        )
    finally:
        os.close(theirs)
        os.close(ours)
    if done.returncode != 0:
        raise DoctorError(f"the generator could not be measured: {(done.stderr.strip() or 'no reason given')[-300:]}")
    described: Mapping[str, Any] = json.loads(done.stdout)
    return Ceiling(**described)


def _end_with_parent(_: View, __: Order) -> None:
    """End when whoever asked is gone: standard input, a pipe of theirs, can be read at its end alone."""
    if select.select([0], [], [], 0)[0]:
        os._exit(ExitCode.INVALID)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measure(int(sys.argv[1]), _end_with_parent))))
