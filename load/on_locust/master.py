"""The master's side of a distributed run: gathers workers, tells them what to do, notices when one is lost.

Locust's own distribution carries everything: users by its `spawn` messages, our orders and the workload by messages of
our own, and what the workers measured by their reports.
"""

from __future__ import annotations

import dataclasses
import os
import secrets
import subprocess
import sys
import time
from typing import Any, Final

import gevent
import locust.runners
from locust.env import Environment
from locust.runners import STATE_MISSING, MasterRunner

from sendpoll.load.engine import EngineError, Fleet, Order, Workload
from sendpoll.load.on_locust.collector import WorkerCollector
from sendpoll.load.on_locust.secure_channel import secure_locust
from sendpoll.load.on_locust.worker_protocol import target_to_json, workload_to_message
from sendpoll.load.users.allowance import share_of

JOIN: Final = "sendpoll_join"
WORKLOAD: Final = "sendpoll_workload"
READY: Final = "sendpoll_ready"
REFUSED: Final = "sendpoll_refused"
ORDER: Final = "sendpoll_order"
REPORT: Final = "sendpoll"

_LOOPBACK: Final = "127.0.0.1"
_WATCH_S: Final = 0.5
_END_S: Final = 5.0
"""How long a worker process may take to end before it is killed."""


class Master:
    """The master of one run."""

    def __init__(self, environment: Environment, workload: Workload, collector: WorkerCollector, run_name: str) -> None:
        self._environment = environment
        self._workload = workload
        self._collector = collector
        self._run_name = run_name
        self._runner: MasterRunner | None = None
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._identities: dict[int, str] = {}
        """Who in Locust's eyes is which of our processes, by its number."""
        self._indexes = 0
        self._expected = 1
        self._order = Order(0)
        self._began_at: float | None = None
        self._refusal = ""
        self._watcher: gevent.Greenlet[[], None] | None = None
        collector.on_order = self._pass_on

    def gather(self, fleet: Fleet) -> None:
        """Open the port and wait until all workers are there. Raises EngineError."""
        os.environ.setdefault("LOCUST_WAIT_FOR_WORKERS_REPORT_AFTER_RAMP_UP", "0.1")
        host, port = (fleet.bind_host, fleet.bind_port) if fleet.master else (_LOOPBACK, 0)
        secret = fleet.secret if fleet.master else secrets.token_urlsafe(32)
        secure_locust(secret)
        try:
            runner = self._environment.create_master_runner(host, port)
        except (SystemExit, locust.exception.RPCError) as error:
            raise EngineError(
                f"port {port} for workers cannot be opened on {host}; give another --master-port"
            ) from error
        self._runner = runner
        for kind, listener in ((JOIN, self._on_join), (READY, self._on_ready), (REFUSED, self._on_refused)):
            runner.register_message(kind, listener)
        self._environment.events.worker_report.add_listener(self._on_report)
        self._expected = fleet.processes or fleet.expect_workers
        for _ in range(fleet.processes):
            self._start_process(runner.server.port, secret)
        self._await(self._expected, fleet)
        self._watcher = gevent.spawn(self._watch)

    def close(self) -> None:
        """End the worker processes of this machine."""
        if self._watcher is not None:
            self._watcher.kill()
        deadline = time.perf_counter() + _END_S
        for process in self._processes.values():
            if process.stdin:
                process.stdin.close()  # a worker process ends when its standard input does
        for process in self._processes.values():
            try:
                process.wait(max(0.1, deadline - time.perf_counter()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._runner is not None:
            self._runner.server.close(linger=0)

    def _start_process(self, port: int, secret: str) -> None:
        process = subprocess.Popen(  # noqa: S603 - this very program, with arguments of our own
            [sys.executable, "-m", "sendpoll.load.on_locust.worker", _LOOPBACK, str(port)],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the master, which drains the workers
        )
        assert process.stdin is not None  # noqa: S101 - it was asked for
        process.stdin.write(f"{secret}\n{target_to_json(self._workload.target)}\n".encode())
        process.stdin.flush()
        self._processes[process.pid] = process

    def _await(self, count: int, fleet: Fleet) -> None:
        deadline = time.perf_counter() + fleet.worker_patience
        while len(self._collector.workers) < count:
            if self._refusal:
                raise EngineError(self._refusal)
            for pid, process in self._processes.items():
                if process.poll() is not None:
                    raise EngineError(f"worker process {pid} ended at once, with code {process.returncode}")
            if time.perf_counter() > deadline:
                raise EngineError(
                    f"{len(self._collector.workers)} of {count} workers came within {fleet.worker_patience:g} s; "
                    "start the others with: sendpoll load --worker --master-host HOST, and the same "
                    "SENDPOLL_CLUSTER_SECRET"
                )
            gevent.sleep(0.05)

    def _on_join(self, msg: Any, **_: Any) -> None:
        assert self._runner is not None  # noqa: S101 - messages come through it
        most = share_of(self._workload.max_messages, self._indexes, self._expected)
        own = dataclasses.replace(self._workload, max_messages=most)
        message = workload_to_message(own, self._run_name, self._indexes)
        self._indexes += 1
        self._identities[msg.data["pid"]] = msg.node_id
        self._runner.send_message(WORKLOAD, message, client_id=msg.node_id)

    def _on_ready(self, msg: Any, **_: Any) -> None:
        self._collector.joined(msg.node_id, f"{len(self._collector.workers) + 1} ({msg.data['name']})")
        if self._began_at is not None:
            self._send_order(self._order, [msg.node_id])

    def _on_refused(self, msg: Any, **_: Any) -> None:
        self._refusal = f"worker {msg.data['name']}: {msg.data['reason']}"

    def _on_report(self, client_id: str, data: dict[str, Any]) -> None:
        if REPORT in data:
            self._collector.reported(client_id, data[REPORT], data["user_count"])

    def _pass_on(self, order: Order) -> None:
        if self._began_at is None:
            self._began_at = time.perf_counter()
        self._order = order
        self._send_order(order, self._living())

    def _living(self) -> list[str]:
        return [identity for identity, worker in self._collector.workers.items() if not worker.lost]

    def _send_order(self, order: Order, identities: list[str]) -> None:
        assert self._runner is not None  # noqa: S101 - orders come once there are workers
        assert self._began_at is not None  # noqa: S101 - and once the run has begun
        share = None if order.arrivals is None else order.arrivals / max(1, len(self._living()))
        message = {"step": order.step, "arrivals": share, "age": time.perf_counter() - self._began_at}
        for identity in identities:
            self._runner.send_message(ORDER, message, client_id=identity)

    def _watch(self) -> None:
        """Notice workers that are gone: their process has ended, they left, or Locust misses their heartbeat."""
        assert self._runner is not None  # noqa: S101 - the watch begins once there are workers
        while True:
            gevent.sleep(_WATCH_S)
            for pid, identity in self._identities.items():
                process = self._processes.get(pid)
                if process is not None and process.poll() is not None:
                    self._collector.lost(identity, f"(process {pid}) ended with code {process.returncode}")
            for identity in list(self._collector.workers):
                client = self._runner.clients.get(identity)
                if client is None:
                    self._collector.lost(identity, "left")
                elif client.state == STATE_MISSING:
                    self._collector.lost(identity, "stopped answering")
