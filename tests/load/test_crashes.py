"""A fault of ours is told as a fault of the generator, with its place, and is never booked as the server's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOKEN = "a-token-that-must-not-be-written"
CRASHING = Path(__file__).parent / "crashing"
QUICK = ("--users", "2", "--duration", "2s", "--think", "100ms", "--poll-interval", "50ms", "--token", TOKEN)
INVALID = 4
OVERLAPPING = """
name: read-twice
description: Every answer is read by two devices.
messages: [{text: a question, weight: 1}]
think_time: {kind: fixed, time: 100ms}
messages_per_conversation: 4
task_deadline: 20s
second_reader_share: 1
shape: {kind: steady, users: 2, duration: 2s}
slos: [errors <= 1%]
"""
_GUARD_S = 120


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    command = [sys.executable, "-m", "sendpoll.load.stub.stub", "--first", "0.1", "--interval", "0.05"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.kill()


def run(crash: str, *command: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment = {**inherited, "SENDPOLL_TEST_CRASH": crash, "SENDPOLL_TOKEN": TOKEN, "PYTHONPATH": str(CRASHING)}
    ended = subprocess.run(
        [sys.executable, "-m", "sendpoll.cli.main", *command],
        capture_output=True, text=True, timeout=_GUARD_S, check=False, env=environment,
    )  # fmt: skip
    assert "Traceback" not in ended.stdout + ended.stderr
    assert TOKEN not in ended.stdout + ended.stderr
    return ended


def crashed(crash: str, url: str, folder: Path, *options: str) -> tuple[dict[str, Any], str]:
    """The result and the terminal's text of a load in which that part of ours raises."""
    ended = run(crash, "load", url, *QUICK, "--report-dir", str(folder), *options)
    assert ended.returncode == INVALID, ended.stdout + ended.stderr
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert TOKEN not in json.dumps(result)
    return result, ended.stdout


def broken_by(result: dict[str, Any]) -> list[str]:
    """What broke, beside whatever a busy machine adds."""
    return [problem for problem in result["generator"]["problems"] if "the generator broke" in problem]


@pytest.mark.parametrize(
    ("crash", "processes"),
    [
        ("user", ()),
        ("conversation", ()),
        ("validator", ()),
        ("user", ("--processes", "2")),
        ("validator", ("--processes", "2")),
    ],
)
def test_a_user_that_raises_makes_the_run_invalid(
    crash: str, processes: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    result, shown = crashed(crash, url, tmp_path, *processes)
    (problem,) = broken_by(result)
    assert problem.startswith("the generator broke ")
    assert "not the server: LookupError at sitecustomize.py:" in problem
    assert problem.endswith("in explode: a fault of ours, which knows [token]")
    assert "LookupError at sitecustomize.py" in " ".join(shown.split())
    assert result["violations"] == []
    assert result["ledger"]["failed"] == 0


def test_a_second_reader_that_raises_makes_the_run_invalid(url: str, tmp_path: Path) -> None:
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(OVERLAPPING, encoding="utf-8")
    result, _ = crashed("beside", url, tmp_path / "report", "--scenario", str(scenario))
    assert [problem.partition(":")[2][:12] for problem in broken_by(result)] == [" LookupError"]
    assert result["ledger"]["good"] > 0


@pytest.mark.parametrize("processes", [(), ("--processes", "2")], ids=["one process", "two workers"])
def test_a_controller_that_raises_ends_the_run_and_is_told(
    processes: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    result, _ = crashed("controller", url, tmp_path, *processes)
    assert [problem.partition(":")[2][:12] for problem in broken_by(result)] == [" LookupError"]


def test_a_worker_whose_report_raises_is_told(url: str, tmp_path: Path) -> None:
    result, _ = crashed("report", url, tmp_path, "--processes", "1", "--duration", "8s")
    assert any("did not report" in problem for problem in result["generator"]["problems"])


@pytest.mark.parametrize("crash", ["planner", "user"])
def test_a_plan_in_which_something_of_ours_raises_is_invalid(crash: str, url: str, tmp_path: Path) -> None:
    ended = run(crash, "plan", url, "--max-users", "4", "--budget", "2min", "--report-dir", str(tmp_path))
    assert ended.returncode == INVALID, ended.stdout + ended.stderr
    assert "LookupError at sitecustomize.py" in " ".join(ended.stdout.split())
    assert (tmp_path / "plan.json").is_file()
