"""`sendpoll plan` and `sendpoll doctor` from the outside: exit codes, reports, and no traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sendpoll.core.validation import validator
from sendpoll.load.doctor import stub

TOKEN = "a-token-that-must-not-be-written"
TIMEOUT = 300


def sendpoll(*arguments: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    ended = subprocess.run(
        [sys.executable, "-m", "sendpoll.cli.main", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
        env={**inherited, "SENDPOLL_TOKEN": TOKEN},
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended


def test_a_small_limit_is_reached_and_every_report_written(tmp_path: Path) -> None:
    """Four users on a stub that never breaks: whatever the machine's load, the plan ends in a minute and says why."""
    with stub("--first", "0.1", "--interval", "0.05") as url:
        ended = sendpoll(
            *("plan", url, "--slo", "task p95 <= 20s", "--scenario", "smoke", "--max-users", "4", "--quick"),
            *("--no-doctor", "--budget", "90s", "--think", "200ms", "--report-dir", str(tmp_path)),
        )
    result = json.loads((tmp_path / "plan.json").read_text())
    validator("files/plan.json").validate(result)
    assert ended.returncode == result["exit_code"]
    assert result["end"] in {"max_users_reached", "generator_bound", "budget"}
    assert max(step["level"] for step in result["steps"]) <= 4
    assert result["sentence"].split()[0] in " ".join(ended.stdout.split())
    written = "".join(path.read_text() for path in tmp_path.iterdir())
    assert TOKEN not in written + ended.stdout + ended.stderr
    assert (tmp_path / "plan.html").exists()


def test_a_target_that_is_not_there_is_unreachable(tmp_path: Path) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        ended = sendpoll("plan", url, "--no-doctor", "--quick", "--report-dir", str(tmp_path))
    assert ended.returncode == 5
    result = json.loads((tmp_path / "plan.json").read_text())
    validator("files/plan.json").validate(result)
    assert result["verdict"] == "unreachable"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--slo", "task quickly"), "is no objective"),
        (("--budget", "10"), "--budget"),
        (("--budget", "10s"), "at least 1min"),
        (("--scenario", "no-such-scenario"), "no-such-scenario"),
        (("--max-users", "0"), "--max-users"),
    ],
)
def test_bad_input_names_the_input(arguments: tuple[str, ...], told: str) -> None:
    ended = sendpoll("plan", "http://127.0.0.1:1", *arguments)
    assert ended.returncode == 2
    assert told in ended.stderr


def test_the_doctor_tells_what_this_machine_can_generate() -> None:
    ended = sendpoll("doctor", "--json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["requests_per_second"] > 0
    assert told["users"] == int(0.3 * told["requests_per_second"])
