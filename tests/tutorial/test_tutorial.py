"""The tutorial's servers run, and fail exactly what the tutorial says they fail."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

HERE = Path(__file__).parent
_LONGEST = 150


@contextmanager
def _serving(step: int) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "TOKENS": "secret,other"}
    with subprocess.Popen(
        [sys.executable, HERE / f"step{step}.py"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _await_port(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def _await_port(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("the server did not start")


def _failed(url: str, folder: Path) -> dict[str, list[str]]:
    command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", "secret", "--second-token", "other"]
    command += ["--seed", "1", "--report-dir", str(folder)]
    subprocess.run(command, check=False, capture_output=True, timeout=400)
    rows = json.loads((folder / "report.json").read_text(encoding="utf-8"))["requirements"]
    return {
        level: [row["id"] for row in rows if row["verdict"] == "fail" and row["level"] == level]
        for level in ("MUST", "SHOULD")
    }


def _told(step: int) -> str:
    text = (HERE / "TUTORIAL.md").read_text(encoding="utf-8")
    block = re.search(rf"<!-- step{step} -->\n```\n(.*?)\n```", text, re.DOTALL)
    assert block, f"the tutorial tells nothing of step {step}"
    return block.group(1)


@pytest.mark.parametrize("step", [1, 2, 3])
def test_step(step: int, tmp_path: Path) -> None:
    with _serving(step) as url:
        failed = _failed(url, tmp_path)
    shown = next((f"{level}: {' '.join(rows)}" for level, rows in failed.items() if rows), "none")
    assert shown == _told(step)


def test_last_step_is_short() -> None:
    assert len((HERE / "step3.py").read_text(encoding="utf-8").splitlines()) <= _LONGEST
