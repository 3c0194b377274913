"""Locust's page beside a run of ours: its stop button drains, as Ctrl-C does."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.error import URLError

import pytest

_GUARD_S = 60.0


def table_of(page: str) -> list[dict[str, object]]:
    """The rows of our tab; none as long as there is no page."""
    try:
        with urllib.request.urlopen(f"{page}/stats/requests") as answer:
            rows: list[dict[str, object]] = json.load(answer)["extended_stats"][0]["data"]
            return rows
    except URLError:
        return []


def has_ended_a_task(rows: list[dict[str, object]]) -> bool:
    return any(row["measure"] == "Tasks: good" and row["count"] for row in rows)


@pytest.mark.parametrize("processes", [0, 2])
def test_a_run_that_is_stopped_on_the_page_loses_nothing(processes: int, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--users", "4", "--duration", "10min", "--processes", str(processes)]
    options += ["--web", "--web-port", str(port), "--report-dir", str(tmp_path)]
    command = [sys.executable, "-m", "sendpoll.cli.main", "load", *options]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as run:
        try:
            page, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _GUARD_S
            while not has_ended_a_task(table_of(page)):
                assert time.monotonic() < deadline
                time.sleep(0.2)
            with urllib.request.urlopen(f"{page}/stop", data=b""):
                pass
            run.wait(_GUARD_S)
        finally:
            run.kill()
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert (result["interrupted"], result["verdict"], result["exit_code"]) == (True, "interrupted", 130)
    assert result["ledger"]["started"] > 0
    assert result["ledger"]["balances"]
    assert not [problem for problem in result["generator"]["problems"] if "worker" in problem]
