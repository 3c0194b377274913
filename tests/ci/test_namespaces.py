"""The manifests' own commands on three machines: network namespaces for server, master and worker, with names as there.

Needs root and iproute2, and a minute: part of the exhaustive tests.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sendpoll.core.files.load import load_json
from tests.ci.test_kubernetes import FOLDER, MOUNTED, pod

SECONDS = 180
NAMES = {"agent.default.svc.cluster.local": "10.77.0.1", "load-master": "10.77.0.2", "worker": "10.77.0.3"}
SECRETS = {"SENDPOLL_TOKEN": "token-of-the-namespaces", "SENDPOLL_CLUSTER_SECRET": "secret-of-the-namespaces"}
SMALLER = {
    "--users=3000": "--users=20",
    "--duration=10min": "--duration=15s",
    "--expect-workers=4": "--expect-workers=1",
}

pytestmark = pytest.mark.skipif(
    not os.environ.get("SENDPOLL_EXHAUSTIVE") or os.geteuid() != 0 or shutil.which("ip") is None,
    reason="a minute, and it needs root and iproute2",
)


def ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)


def namespace(name: str) -> str:
    return f"sendpoll-{name.partition('.')[0]}"


@pytest.fixture(name="machines")
def _machines() -> Iterator[None]:
    """A namespace a machine, all on one switch, which is a namespace too, and each with the names of all."""
    switch = "sendpoll-switch"
    hosts = "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in NAMES.items())
    made = [switch, *map(namespace, NAMES)]
    try:
        ip("netns", "add", switch)
        ip("-n", switch, "link", "add", "bridge", "type", "bridge")
        ip("-n", switch, "link", "set", "bridge", "up")
        for number, (name, address) in enumerate(NAMES.items()):
            there = namespace(name)
            ip("netns", "add", there)
            ip("-n", there, "link", "add", "eth0", "type", "veth", "peer", "name", f"port{number}", "netns", switch)
            ip("-n", there, "address", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                ip("-n", there, "link", "set", device, "up")
            ip("-n", switch, "link", "set", f"port{number}", "master", "bridge", "up")
            folder = Path("/etc/netns", there)  # what `ip netns exec` lays over /etc
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hosts").write_text(hosts)
        yield
    finally:
        for one in made:
            ip("netns", "delete", one, check=False)
            shutil.rmtree(Path("/etc/netns", one), ignore_errors=True)


@contextlib.contextmanager
def on(machine: str, *words: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A `sendpoll` on a machine, with the secrets in its environment."""
    command = ["ip", "netns", "exec", namespace(machine), sys.executable, "-m", "sendpoll.cli.main", *words]
    with log.open("wb") as file:
        child = subprocess.Popen(command, stdout=file, stderr=file, env={**os.environ, **SECRETS})
        try:
            yield child
        finally:
            child.kill()
            child.wait(SECONDS)


def arguments(job: str, changed: Mapping[str, str]) -> list[str]:
    """The words of a job's pod, with what is told here in place of what is mounted there."""
    words = [changed.get(word, word) for word in pod(job)["containers"][0]["args"]]
    return [word.replace(MOUNTED, str(FOLDER / "server.yaml")) for word in words]


def counted(machine: str) -> dict[str, float]:
    """The ledger as Prometheus would read it, from another machine; empty where nobody answers."""
    script = (
        "import urllib.request as r; print(r.urlopen('http://load-master:9464/metrics', timeout=2).read().decode())"
    )
    command = ["ip", "netns", "exec", namespace(machine), sys.executable, "-c", script]
    page = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS).stdout
    lines = re.findall(r'^sendpoll_load_tasks_total\{[^}]*as="(\w+)"[^}]*\} (\S+)$', page, re.MULTILINE)
    return {kind: float(value) for kind, value in lines}


def test_master_and_worker_hold_load_over_a_network_and_tell_prometheus(machines: None, tmp_path: Path) -> None:  # noqa: ARG001 - they are there
    report = {"--report-dir=/report": f"--report-dir={tmp_path}"}
    serve = ["serve", "--host", "0.0.0.0", "--token", SECRETS["SENDPOLL_TOKEN"], "--database", ":memory:"]
    last: dict[str, float] = {}
    with (
        on("agent", *serve, log=tmp_path / "server.log"),
        on("load-master", *arguments("load-master", SMALLER | report), log=tmp_path / "master.log") as master,
        on("worker", *arguments("load-worker", {}), log=tmp_path / "worker.log") as worker,
    ):
        until = time.monotonic() + SECONDS
        while master.poll() is None:
            assert time.monotonic() < until, (tmp_path / "master.log").read_text()
            last = counted("worker") or last
            time.sleep(1)  # Prometheus reads no more often
        assert master.returncode in {0, 4}, (tmp_path / "master.log").read_text()  # 4: this machine was busy
        assert worker.wait(SECONDS) == 0, (tmp_path / "worker.log").read_text()
    ledger = load_json(tmp_path / "result.json", "files/load-result.json")["ledger"]
    assert ledger["good"] > 0
    assert last["good"] == ledger["good"]
