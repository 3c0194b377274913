"""`sendpoll client` from outside: exit codes, what is printed and written, and what is left when it is ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.bad_clients.catalogue import BY_NAME, RIGHT

HANG_GUARD = 300
SENDPOLL = [sys.executable, "-m", "sendpoll.cli.main", "client"]
PYTHON = RIGHT[0]


def client(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SENDPOLL, *arguments], capture_output=True, text=True, check=False, timeout=HANG_GUARD, encoding="utf-8"
    )


def test_a_right_client_is_told_so(tmp_path: Path) -> None:
    ran = client("--only", "C-24", "--report-dir", str(tmp_path), "--", *PYTHON)
    assert (ran.returncode, "does what a client must" in ran.stdout) == (0, True), ran.stdout + ran.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert (report["subject"], report["verdict"]) == ("client", "conformant")
    assert [situation["name"] for situation in report["situations"]] == ["plain", "poll-closed", "poll-reset"]
    for name in ("report.html", "junit.xml", "summary.md", "badge.json"):
        assert (tmp_path / name).stat().st_size > 0


def test_a_bad_one_is_told_in_what_and_how_to_see_it_again(tmp_path: Path) -> None:
    baseline = tmp_path / "known.yaml"
    bad = BY_NAME["dies-of-429"].command
    ran = client("--only", "C-26", "--write-baseline", str(baseline), "--", *bad)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "FAILED C-26 MUST" in ran.stdout
    assert "sendpoll client --only C-26 --serve" in ran.stdout
    assert client("--only", "C-26", "--baseline", str(baseline), "--", *bad).returncode == 0
    assert client("--only", "C-26", "--baseline", str(baseline), "--", *PYTHON).returncode == 1, "it is stale"


def test_nothing_is_said_of_a_command_that_asks_for_nothing() -> None:
    ran = client("--", sys.executable, "-c", "import sys; sys.exit('no module named such')")
    assert ran.returncode == 3
    assert "no module named such" in ran.stdout


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give either a command behind --"),
        (["--browser", "x.html", "--", "true"], "give either a command behind --"),
        (["--", "no-such-program"], "no-such-program is no program that can be run here"),
        (["--only", "C-99", "--", "true"], "there is no requirement 'C-99'"),
        (["--only", "POLL-8", "--", "true"], "there is no requirement 'POLL-8'"),
        (["--only", "C-40", "--", "true"], "it has no check"),
        (["--serve"], "--serve needs --only ID"),
        (["--browser", "no-such-file.html"], "there is no such file"),
        (["--baseline", "no-such-file.yaml", "--", "true"], "--write-baseline makes one"),
    ],
)
def test_what_cannot_be_done_is_told(arguments: list[str], told: str) -> None:
    ran = client(*arguments)
    assert (ran.returncode, "Traceback" in ran.stderr) == (2, False)
    assert told in " ".join(ran.stderr.split())


def test_a_dry_run_says_what_would_be_played() -> None:
    ran = client("--dry-run", "--only", "C-24")
    assert (ran.returncode, "poll-reset" in ran.stdout) == (0, True)


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "sigterm"])
def test_when_it_is_ended_no_client_runs_on(sent: signal.Signals, code: int, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    mark = f"mark-{time.monotonic_ns()}"
    program = f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); time.sleep(600)"
    with subprocess.Popen([*SENDPOLL, "--", sys.executable, "-c", program, mark], stderr=subprocess.PIPE) as run:
        try:
            until = time.monotonic() + HANG_GUARD
            while not begun.exists() and time.monotonic() < until:
                time.sleep(0.05)
            run.send_signal(sent)
            run.communicate(timeout=HANG_GUARD)
        finally:
            run.kill()
    assert run.returncode == code
    alive = [one.info["cmdline"] or () for one in psutil.process_iter(["cmdline"]) if one.pid != os.getpid()]
    assert not [words for words in alive if mark in words]


def test_one_server_is_kept_up_for_a_run_by_hand() -> None:
    with subprocess.Popen([*SENDPOLL, "--only", "C-26", "--serve"], stdout=subprocess.PIPE, text=True) as run:
        try:
            assert run.stdout is not None
            lines = [run.stdout.readline() for _ in range(3)]
            told = dict(word.split("=", 1) for word in lines[2].split() if word.startswith("SENDPOLL_") and "=" in word)
            environment = {**os.environ, **told, "SENDPOLL_MESSAGE": "hello"}
            for _ in range(2):  # it begins anew with each run
                tried = subprocess.run(PYTHON, capture_output=True, text=True, check=True, env=environment, timeout=60)
                assert tried.stdout == "alpha-7,beta-8,gamma-9,delta-10,epsilon-11.\n"
                assert "status 429" in tried.stderr
        finally:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=HANG_GUARD)
    assert run.returncode == 130
