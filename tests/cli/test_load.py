"""`sendpoll load` from the outside: exit codes, reports, distribution, and ends of every kind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sendpoll.core.validation import validator

TOKEN = "a-token-that-must-not-be-written"
ROOT = Path(__file__).parents[2]
CLUSTER_SECRET = "a-secret-of-master-and-workers"
COMMAND = (sys.executable, "-m", "tests.cli.patient", "sendpoll", "load")
QUICK = ("--users", "6", "--duration", "4s", "--think", "100ms", "--poll-interval", "100ms")
TIMEOUT = 120


@contextlib.contextmanager
def stub(*options: str, module: str = "sendpoll.load.stub.stub") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """A server of the API, and its process."""
    command = [sys.executable, "-m", module, "--first", "0.1", "--interval", "0.05", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip(), server
        finally:
            server.kill()


@pytest.fixture(name="url", scope="module")
def _url() -> Iterator[str]:
    with stub() as (url, _):
        yield url


def environment(**more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**inherited, "SENDPOLL_TOKEN": TOKEN, "SENDPOLL_CLUSTER_SECRET": CLUSTER_SECRET, **more}


def load(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=TIMEOUT, check=False, env=environment(**more)
    )
    assert "Traceback" not in ended.stdout + ended.stderr
    return ended


def started(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )


def result_in(folder: Path) -> dict[str, Any]:
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    assert not list(validator("files/load-result.json").iter_errors(result))
    return result


def assert_every_task_is_booked(folder: Path) -> int:
    """The ledger balances, and each task of it is in the log; the count of tasks."""
    ledger = result_in(folder)["ledger"]
    assert ledger["balances"]
    tasks = [json.loads(line) for line in (folder / "tasks.jsonl").read_text().splitlines()]
    assert len(tasks) == ledger["started"] + ledger["dropped"]
    return len(tasks)


def test_a_run_against_a_right_server(url: str, tmp_path: Path) -> None:
    ended = load(url, *QUICK, "--report-dir", str(tmp_path))
    assert ended.returncode == 0
    assert assert_every_task_is_booked(tmp_path) > 6
    assert {path.name for path in tmp_path.iterdir()} == {
        "result.json", "report.html", "junit.xml", "summary.md", "tasks.jsonl",
    }  # fmt: skip
    assert result_in(tmp_path)["violations"] == []
    assert "Ending: no task is started any more." in ended.stderr
    assert "started =" in ended.stdout
    written = ended.stdout + ended.stderr + "".join(path.read_text() for path in tmp_path.iterdir())
    assert TOKEN not in written


def test_a_run_without_a_url_is_against_the_reference_server(tmp_path: Path) -> None:
    ended = load(*QUICK, "--report-dir", str(tmp_path))
    assert ended.returncode == 0
    assert assert_every_task_is_booked(tmp_path) > 6


def test_worker_processes_lose_no_task(url: str, tmp_path: Path) -> None:
    ended = load(url, *QUICK, "--processes", "2", "--report-dir", str(tmp_path))
    assert ended.returncode == 0
    assert assert_every_task_is_booked(tmp_path) > 6
    assert len(result_in(tmp_path)["generator"]["processes"]) == 2
    users = {json.loads(line)["user"] // 1_000_000 for line in (tmp_path / "tasks.jsonl").read_text().splitlines()}
    assert users == {0, 1}


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_workers_of_other_machines_are_told_all_but_the_token(url: str, tmp_path: Path) -> None:
    port = str(free_port())
    worker = started("--worker", "--master-port", port)
    ended = load(url, *QUICK, "--master", "--master-port", port, "--report-dir", str(tmp_path))
    _, said = worker.communicate(timeout=TIMEOUT)
    assert ended.returncode == 0
    assert (worker.returncode, "Traceback" in said) == (0, False)
    assert assert_every_task_is_booked(tmp_path) > 6


def test_a_worker_of_another_secret_gets_nothing_and_changes_nothing(url: str, tmp_path: Path) -> None:
    port = str(free_port())
    stranger = subprocess.Popen(
        [*COMMAND, "--worker", "--master-port", port], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment(SENDPOLL_CLUSTER_SECRET="another secret, as long as the first"),
    )  # fmt: skip
    worker = started("--worker", "--master-port", port)
    ended = load(url, *QUICK, "--master", "--master-port", port, "--report-dir", str(tmp_path))
    worker.communicate(timeout=TIMEOUT)
    _, said = stranger.communicate(timeout=TIMEOUT)
    assert (ended.returncode, worker.returncode, stranger.returncode) == (0, 0, 2)
    assert "SENDPOLL_CLUSTER_SECRET" in said or "no master answers" in said
    assert len(result_in(tmp_path)["generator"]["processes"]) == 1


@pytest.mark.parametrize("role", ["--master", "--worker"])
def test_master_and_worker_need_a_secret(role: str) -> None:
    ended = load("http://127.0.0.1:1", role, SENDPOLL_CLUSTER_SECRET="")
    assert ended.returncode == 2
    assert "set SENDPOLL_CLUSTER_SECRET to the same on each" in " ".join(ended.stderr.split())


def test_a_worker_with_another_token_is_refused(url: str) -> None:
    port = str(free_port())
    worker = started("--worker", "--master-port", port, "--token", "another")
    ended = load(url, *QUICK, "--master", "--master-port", port)
    _, said = worker.communicate(timeout=TIMEOUT)
    assert (ended.returncode, worker.returncode) == (2, 2)
    assert "same --token" in ended.stderr
    assert "same --token" in said


def test_a_worker_that_is_killed_makes_the_run_invalid_and_is_named(tmp_path: Path) -> None:
    with stub(module="tests.benchmarks.counting_stub") as (url, _):
        run = started(url, "--users", "6", "--duration", "8s", "--processes", "2", "--report-dir", str(tmp_path))
        while run.poll() is None and not _messages(url):
            time.sleep(0.1)
        victim = _workers_of(run.pid)[0]
        os.kill(victim, signal.SIGKILL)
        out, err = run.communicate(timeout=TIMEOUT)
    assert run.returncode == 4
    assert "Traceback" not in out + err
    assert re.search(rf"worker \d \(.*:{victim}\) \(process {victim}\) ended with code -9", " ".join(out.split()))
    assert result_in(tmp_path)["ledger"]["good"] > 0


def _messages(url: str) -> int:
    """How many messages a stub that counts has been sent: with the first, workers have joined and users begun."""
    with urllib.request.urlopen(f"{url}/messages") as answer:
        return int(answer.read())


def _workers_of(parent: int) -> list[int]:
    """The worker processes of a run."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = status.read_text().rpartition(")")[2].split()
            command = status.with_name("cmdline").read_bytes()
            if int(fields[1]) == parent and b"sendpoll.load.on_locust.worker" in command:
                found.append(int(status.parent.name))
    return found


def test_nobody_listens() -> None:
    ended = load(f"http://127.0.0.1:{free_port()}", *QUICK)
    assert ended.returncode == 5
    assert "refused" in ended.stdout


def test_too_few_open_files_are_the_generators_fault(url: str, tmp_path: Path) -> None:
    command = [*COMMAND, url, *QUICK[2:], "--users", "90", "--report-dir", str(tmp_path)]
    ended = subprocess.run(
        ["bash", "-c", 'ulimit -n 90; exec "$@"', "bash", *command], capture_output=True, text=True, timeout=TIMEOUT,
        check=False, env=environment(),
    )  # fmt: skip
    assert "Traceback" not in ended.stdout + ended.stderr
    assert ended.returncode == 4
    result = result_in(tmp_path)
    assert result["reasons"][0].startswith("the generator ran out of open files: this process may have no more than 90")
    assert {error["kind"] for error in result["errors"]} == {"POST workspaces: the generator's open files"}
    assert assert_every_task_is_booked(tmp_path)


def test_a_server_that_dies_in_mid_run(tmp_path: Path) -> None:
    with stub(module="tests.benchmarks.counting_stub") as (url, server):
        run = started(url, *QUICK[:2], "--duration", "10s", "--think", "0s", "--report-dir", str(tmp_path))
        while run.poll() is None and _messages(url) < 12:
            time.sleep(0.1)
        server.kill()
        out, err = run.communicate(timeout=TIMEOUT)
    assert "Traceback" not in out + err
    assert run.returncode in {1, 4}
    assert result_in(tmp_path)["ledger"]["failed"] > 0
    assert assert_every_task_is_booked(tmp_path)


def test_arrivals_that_find_nobody_are_dropped_and_fail(tmp_path: Path) -> None:
    with stub("--chunks", "40") as (url, _):
        ended = load(
            url, "--arrivals", "20/s", "--users", "3", "--duration", "4s", "--slo", "errors <= 1%", "--report-dir",
            str(tmp_path),
        )  # fmt: skip
    assert ended.returncode == 1
    assert result_in(tmp_path)["ledger"]["dropped"] > 10
    assert assert_every_task_is_booked(tmp_path)


def test_a_slower_server_is_told_from_the_run_before(url: str, tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    load(url, *QUICK, "--report-dir", str(before))
    with stub("--first", "0.9") as (slower, _):
        ended = load(slower, *QUICK, "--report-dir", str(after), "--compare", str(before / "result.json"))
    assert ended.returncode == 1
    assert "worse: " in ended.stdout


def test_another_workload_is_not_compared(url: str, tmp_path: Path) -> None:
    load(url, *QUICK, "--report-dir", str(tmp_path))
    ended = load(url, "--users", "2", "--duration", "4s", "--compare", str(tmp_path / "result.json"))
    assert ended.returncode == 2
    assert "unlike workloads" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--scenario", "nothing"), "nothing"),
        (("--slo", "ttfe fast"), "ttfe fast"),
        (("--arrivals", "soon"), "3/s"),
        (("ftp://agent.example",), "base URL"),
        (("http://127.0.0.1:1", "--ca-file", __file__), "PEM"),
    ],
)
def test_bad_input_is_named(arguments: tuple[str, ...], said: str) -> None:
    if "--ca-file" in arguments:
        arguments = (arguments[0].replace("http:", "https:"), *arguments[1:])
    ended = load(*arguments)
    assert ended.returncode == 2
    assert said in ended.stderr


def test_the_locustfile_runs_under_plain_locust(url: str, tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "sendpoll.cli.main", "locustfile", "--scenario", "smoke"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert len(printed.stdout.splitlines()) == 5
    (tmp_path / "locustfile.py").write_text(printed.stdout)
    reports = tmp_path / "reports"
    ended = subprocess.run(
        [*COMMAND[:3], "locust", "--host", url, "--headless", "-u", "4", "-r", "4", "-t", "10s"],
        capture_output=True, text=True, timeout=TIMEOUT, cwd=tmp_path, check=False,
        env=environment(SENDPOLL_REPORT_DIR=str(reports), PYTHONPATH=str(ROOT)),
    )  # fmt: skip
    assert ended.returncode in {0, 3}
    assert assert_every_task_is_booked(reports)
    assert "first event" in ended.stderr + ended.stdout
    assert TOKEN not in ended.stderr + ended.stdout


def test_a_result_that_nobody_reads_is_no_failed_objective(url: str, tmp_path: Path) -> None:
    """`sendpoll load ... | true`: the reports are there, and code 1 would say that an objective failed."""
    with started(url, *QUICK, "--report-dir", str(tmp_path)) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.close()
        told = run.stderr.read()
        assert run.wait(TIMEOUT) == 141
    assert "Traceback" not in told
    assert result_in(tmp_path)["exit_code"] == 0
