"""A run against a hostile server ends in time, says what is wrong, writes its reports and keeps the token to itself."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from tests.hostile.lines import Attack, Line, listening, serve_right
from tests.hostile.servers import HOSTILE, HOSTILE_TEXT, SECOND_TOKEN, TOKEN, percent_encoded, redirects_to
from tests.pooled import pooled

DEADLINE = 15
_GRACE = 10
"""Seconds behind the deadline within which the run has ended, its reports written."""
_HANG_GUARD = DEADLINE + 180
"""Generous: a busy machine starts processes slowly. A run that hangs does so for ever."""
_MEMORY = 300_000_000
_FILES = {"report.json", "report.html", "junit.xml", "summary.md", "badge.json"}
_BY_NAME = {hostile.name: hostile for hostile in HOSTILE}


@dataclass
class Run:
    """What came of a run."""

    exit_code: int
    stdout: str
    stderr: str
    memory: int
    """The most bytes that it held at a time."""
    late: float
    """Seconds behind its deadline at which it ended; on a busy machine those of work that it did there."""
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """The one sentence on the whole run."""
        return str(json.loads(self.files["report.json"])["summary"])

    def everything(self) -> dict[str, bytes]:
        """All that was written, anywhere."""
        return {**self.files, "stdout": self.stdout.encode(), "stderr": self.stderr.encode()}


Ran = Callable[[str], Run]


def _check(attack: Attack) -> Run:
    with tempfile.TemporaryDirectory() as folder, listening(attack) as port:
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", f"http://127.0.0.1:{port}"]
        command += ["--token", TOKEN, "--second-token", SECOND_TOKEN, "--seed", "1"]
        command += ["--deadline", str(DEADLINE), "--report-dir", folder]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"}
        ) as process:
            seen = _Seen()
            watching = threading.Thread(target=_watch, args=(process, seen))
            watching.start()
            try:
                stdout, stderr = process.communicate(timeout=_HANG_GUARD)
                ended = time.time()
            finally:
                process.kill()
                watching.join()
        late = seen.late(_due(Path(folder, "report.json")), ended)
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    return Run(process.returncode, stdout, stderr, seen.memory, late, files)


def _due(report: Path) -> float:
    """The moment of a run's deadline: the first of its files is written when its account of itself ends."""
    lasted: float = json.loads(report.read_bytes())["duration_s"]
    return report.stat().st_mtime - lasted + DEADLINE


@dataclass
class _Seen:
    """What was seen of a process while it ran."""

    memory: int = 0
    worked: list[tuple[float, float]] = field(default_factory=list)
    """Moments, and the seconds of work that the process had done by then."""

    def late(self, due: float, ended: float) -> float:
        """Seconds behind a moment at which it ended, or of work that it did there, whichever is less."""
        behind = [work for moment, work in self.worked if moment >= due]
        return min(ended - due, behind[-1] - behind[0] if behind else 0.0)


def _watch(process: subprocess.Popen[str], seen: _Seen) -> None:
    """Note what the process holds and does, until it ends."""
    try:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            seen.memory = max(seen.memory, watched.memory_info().rss)
            times = watched.cpu_times()
            seen.worked.append((time.time(), times.user + times.system))
            time.sleep(0.02)
    except psutil.Error:
        return


@pytest.fixture(scope="module", name="ran")
def _ran(request: pytest.FixtureRequest) -> Iterator[Ran]:
    with pooled(request, lambda name: _check(_BY_NAME[name].attack)) as outcome:
        yield outcome


@pytest.mark.parametrize("name", _BY_NAME)
def test_a_run_against_a_hostile_server_ends_well(name: str, ran: Ran) -> None:
    run = ran(name)

    assert run.exit_code in _BY_NAME[name].exits, run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr
    assert run.files.keys() == _FILES
    assert run.summary.endswith(".")
    assert " ".join(run.summary.split()) in " ".join((run.stdout + run.stderr).split())
    assert run.memory < _MEMORY
    assert run.late < _GRACE


@pytest.mark.parametrize("name", _BY_NAME)
def test_no_token_is_written(name: str, ran: Ran) -> None:
    """In no form, whatever the server sends back."""
    for place, content in ran(name).everything().items():
        for token in (TOKEN, SECOND_TOKEN):
            for form in _forms(token):
                assert form not in content, f"{place} holds the token"


def _forms(token: str) -> list[bytes]:
    coded = base64.b64encode(token.encode())
    return [
        token.encode(),
        quote(token, safe="").encode(),
        percent_encoded(token).encode(),
        json.dumps(token).strip('"').encode(),
        coded,
        coded.rstrip(b"="),
        base64.b64encode(f"Bearer {token}".encode()),
        base64.urlsafe_b64encode(token.encode()).rstrip(b"="),
    ]


@pytest.mark.parametrize("name", ["hostile-text"])
def test_hostile_text_stays_text(name: str, ran: Ran) -> None:
    """No tag of the server stands in the page, and no escape sequence of it reaches the terminal."""
    run = ran(name)

    assert b"<script>alert" not in run.files["report.html"]
    assert b"<img src=x" not in run.files["report.html"]
    assert "\x1b" not in run.stdout + run.stderr
    assert HOSTILE_TEXT not in run.stdout + run.stderr
    assert b"\x1b" not in run.files["junit.xml"]


def test_a_redirect_to_another_host_is_not_followed() -> None:
    """Nothing at all arrives there, least of all the token."""
    arrived: list[object] = []

    def elsewhere(line: Line) -> None:
        arrived.append(line.request())
        serve_right(line)

    with listening(elsewhere, "127.0.0.2") as port:
        run = _check(redirects_to(port))

    assert arrived == []
    assert run.exit_code == 1
    assert "REQ-9" in run.stdout
