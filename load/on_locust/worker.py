"""The worker's side of a distributed run: takes the workload and the orders, generates load, reports each second."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from typing import Any, Final

import gevent
import gevent.socket
import locust.runners
from locust.env import Environment
from locust.runners import WorkerRunner

from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError
from sendpoll.load.engine import EngineError
from sendpoll.load.measure.machine_limits import raise_open_files
from sendpoll.load.on_locust.locust_clock import steady_locust
from sendpoll.load.on_locust.master import JOIN, ORDER, READY, REFUSED, REPORT, WORKLOAD
from sendpoll.load.on_locust.runner import MASTER_GONE, quieten_locust, spare_the_collector
from sendpoll.load.on_locust.secure_channel import secure_locust
from sendpoll.load.on_locust.user import Person, attach
from sendpoll.load.on_locust.worker_protocol import PROTOCOL, HandoverError, target_from_json, workload_from_message
from sendpoll.load.users.generator import Generator

_REPORT_S: Final = 1.0
_CONNECT_S: Final = 5.0
_ANSWER_S: Final = 2
_TRIES: Final = 9
"""A master of the same secret answers at once, unless it is very busy."""
_WATCH_S: Final = 0.5
_SILENCE_S: Final = 2.0
"""A master is heard each second."""


class MasterGoneError(Exception):
    """The master ended without a word; the message names it."""


class Worker:
    """One worker, from its joining to the end of the run."""

    def __init__(self, environment: Environment, own: Target) -> None:
        self._environment = environment
        self._own = own
        self._generator: Generator | None = None
        self._has_begun = False
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self.refusal = ""
        self.is_orphan = False
        """Whether the master is gone without a word."""

    def join(self, runner: WorkerRunner) -> None:
        """Ask the master for the workload."""
        runner.register_message(WORKLOAD, self._on_workload)
        runner.register_message(ORDER, self._on_order)
        self._environment.events.report_to_master.add_listener(self._on_report)
        self._runner = runner
        runner.send_message(JOIN, {"protocol": PROTOCOL, "pid": os.getpid(), "name": self._name})

    def watch(self, host: str, port: int) -> None:
        """End when the master is gone: it has been silent, and nobody listens in its place.

        One that is only busy is waited for; one whose machine is gone is given up by Locust, a minute later.
        """
        heard, since = self._runner.last_heartbeat_timestamp, time.perf_counter()
        while True:
            gevent.sleep(_WATCH_S)
            if self._runner.last_heartbeat_timestamp != heard:
                heard, since = self._runner.last_heartbeat_timestamp, time.perf_counter()
            elif time.perf_counter() - since > _SILENCE_S and _is_deserted(host, port):
                self.is_orphan = True
                self._runner.greenlet.kill(block=False)
                return

    def close(self) -> None:
        """Generate no more."""
        if self._generator is not None:
            self._generator.stop()

    def _on_workload(self, msg: Any, **_: Any) -> None:
        try:
            workload = workload_from_message(msg.data, self._own)
            self._generator = Generator(workload, msg.data["run_name"], msg.data["index"])
        except (HandoverError, TargetError) as error:
            self.refusal = str(error)
            self._runner.send_message(REFUSED, {"name": self._name, "reason": self.refusal})
            gevent.spawn_later(0.2, self._runner.quit)
            return
        attach(self._environment, self._generator)
        spare_the_collector()
        self._runner.send_message(READY, {"name": self._name})

    def _on_order(self, msg: Any, **_: Any) -> None:
        assert self._generator is not None  # noqa: S101 - the master orders those who said that they are ready
        if not self._has_begun:
            self._has_begun = True
            self._generator.begin(msg.data["age"])
        self._generator.obey(msg.data["step"], msg.data["arrivals"])

    def _on_report(self, data: dict[str, Any], **_: Any) -> None:
        if self._generator is not None and self._has_begun:
            try:
                self._generator.tick(self._runner.user_count)
                data[REPORT] = self._generator.report()
            except Exception as error:  # noqa: BLE001 - the next report tells of it; Locust would log it and go on
                self._generator.crashed(error)


def run_worker(host: str, port: int, own: Target, secret: str) -> None:
    """Work for the master at that address until it says that the run is over.

    `own` holds the secrets of the target, and `secret` is the one that is shared with the master; everything else the
    master says. Raises EngineError when there is no master,
    or when it refuses this worker, and MasterGoneError when it goes without a word.
    """
    quieten_locust()
    steady_locust()
    raise_open_files()
    locust.runners.WORKER_REPORT_INTERVAL = _REPORT_S
    locust.runners.CONNECT_TIMEOUT, locust.runners.CONNECT_RETRY_COUNT = _ANSWER_S, _TRIES
    secure_locust(secret)
    environment = Environment(user_classes=[Person])
    _find_master(host, port)
    try:
        runner = environment.create_worker_runner(host, port)
    except ConnectionError as error:
        raise EngineError(
            f"what listens at {host}:{port} does not answer: it is no master, or one with another secret; "
            "set SENDPOLL_CLUSTER_SECRET to the same on both"
        ) from error
    worker = Worker(environment, own)
    worker.join(runner)
    watcher = gevent.spawn(worker.watch, host, port)
    runner.greenlet.join()
    watcher.kill()
    worker.close()
    if worker.is_orphan:
        raise MasterGoneError(f"the master at {host}:{port} is gone, and nobody takes what this worker measured")
    if worker.refusal:
        raise EngineError(worker.refusal)


def _is_deserted(host: str, port: int) -> bool:
    """Whether the machine of the master says that nobody listens there any more."""
    try:
        gevent.socket.create_connection((host, port), _WATCH_S).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return False


def _find_master(host: str, port: int) -> None:
    """Locust would retry for five minutes without a word."""
    deadline = time.perf_counter() + 60.0
    while True:
        try:
            gevent.socket.create_connection((host, port), _CONNECT_S).close()
        except OSError as error:
            if time.perf_counter() > deadline:
                reason = error.strerror or error
                raise EngineError(
                    f"no master answers at {host}:{port}: {reason}; start it first, or name it"
                ) from error
            gevent.sleep(1.0)
        else:
            return


def _main() -> None:
    """A worker process of `--processes`: the target comes over standard input, and its end is the order to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    secret, own = sys.stdin.readline().strip(), target_from_json(sys.stdin.readline())

    def end_with_the_master() -> None:
        gevent.socket.wait_read(sys.stdin.fileno())
        os._exit(MASTER_GONE)

    gevent.spawn(end_with_the_master)
    run_worker(sys.argv[1], int(sys.argv[2]), own, secret)


if __name__ == "__main__":
    _main()
