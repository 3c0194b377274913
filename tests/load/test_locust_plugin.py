"""Our users under plain Locust, whose web page starts and stops them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import URLError

LOCUSTFILE = """
from sendpoll.load import SendpollUser

class Person(SendpollUser):
    scenario = "smoke"
"""
_GUARD_S = 60.0


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _GUARD_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(page):
            return True
    except URLError:
        return False


def table(page: str) -> dict[str, Any]:
    """Locust's own numbers, which it keeps for two seconds: those of the run before are told for a while."""
    with urllib.request.urlopen(f"{page}/stats/requests") as answer:
        told: dict[str, Any] = json.loads(answer.read())
    return told


def has_tasks(page: str) -> bool:
    """Whether users run and a task has ended."""
    told = table(page)
    ended = (row["num_requests"] for row in told["stats"] if (row["method"], row["name"]) == ("TASK", "task"))
    return told["user_count"] > 0 and any(ended)


def run_from_the_page(page: str, result: Path) -> dict[str, object]:
    """Start two users on the page, stop them there, and read what was reported before Locust has quit."""
    wait_for(lambda: table(page)["user_count"] == 0)
    with urllib.request.urlopen(f"{page}/swarm", data=b"user_count=2&spawn_rate=2"):
        pass
    wait_for(lambda: has_tasks(page))
    with urllib.request.urlopen(f"{page}/stop", data=b""):
        pass
    wait_for(result.exists)
    wait_for(lambda: result.read_text(encoding="utf-8").endswith("}\n"))
    told: dict[str, object] = json.loads(result.read_text(encoding="utf-8"))
    return told


def test_each_run_that_the_page_starts_is_reported_when_it_is_stopped(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE, encoding="utf-8")
    stub = subprocess.Popen([sys.executable, "-m", "sendpoll.load.stub.stub"], stdout=subprocess.PIPE, text=True)
    assert stub.stdout is not None
    url = stub.stdout.readline().strip()
    locust = subprocess.Popen(
        [sys.executable, "-m", "locust", "--host", url, "--web-host", "127.0.0.1", "--web-port", str(port)],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env={"PATH": "", "SENDPOLL_TOKEN": "t", "SENDPOLL_REPORT_DIR": str(tmp_path / "reports"), "NO_PROXY": "*"},
    )  # fmt: skip
    try:
        page = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(page))
        first = run_from_the_page(page, tmp_path / "reports" / "result.json")
        second = run_from_the_page(page, tmp_path / "reports" / "run-2" / "result.json")
        locust.send_signal(signal.SIGINT)
        told, _ = locust.communicate(timeout=_GUARD_S)
    finally:
        for process in (locust, stub):
            process.kill()
            process.wait()
        stub.stdout.close()
        assert locust.stdout is not None
        locust.stdout.close()
    for result in (first, second):
        ledger = result["ledger"]
        assert isinstance(ledger, dict)
        assert ledger["started"] > 0
        assert ledger["balances"]
    assert first["started_at"] != second["started_at"]
    assert locust.returncode == second["exit_code"], told
