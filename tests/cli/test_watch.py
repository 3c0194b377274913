"""`check --watch` at a terminal: a server that is mended and started anew, a key, and the ways to end."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from sendpoll.cli.main import cli
from sendpoll.conformance.reporting.write import read_report
from sendpoll.core.dialing.restarts import Restarts, listeners_on
from sendpoll.core.target.target import Target
from tests.mutants.serve import TOKEN

SECONDS = 120
READY = re.compile(r"Watching: .*\n")
SERVE = "from sendpoll.cli.serve import serve; serve(prog_name='sendpoll serve')"


@contextlib.contextmanager
def serving(port: int, *, broken: bool) -> Iterator[None]:
    """A server of a developer: with a fault, or mended; a process of its own each time."""
    options = ["--port", str(port), "--token", TOKEN, "--chunk-interval", "0.02", "--database", ":memory:"]
    right = [sys.executable, "-c", SERVE, *options]
    command = [sys.executable, "-m", "tests.mutants", "next-offset-string", "--port", str(port)] if broken else right
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        child.kill()
        child.wait(SECONDS)


class Session:
    """A `check --watch` at a terminal of its own."""

    def __init__(self, *arguments: str) -> None:
        self._master, terminal = pty.openpty()
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", *arguments, "--watch"]
        environment = {**os.environ, "NO_COLOR": "1"}
        self.process = subprocess.Popen(
            command, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL, env=environment, start_new_session=True
        )
        os.close(terminal)
        self.seen = ""

    def until(self, pattern: re.Pattern[str]) -> str:
        """What is printed up to a line, and that; it is not seen again."""
        began = time.monotonic()
        while not (found := pattern.search(self.seen)):
            assert time.monotonic() < began + SECONDS, self.seen
            if not select.select([self._master], [], [], 1.0)[0]:
                continue
            self.seen += os.read(self._master, 65536).decode("utf-8", "replace").replace("\r\n", "\n")
        told, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return told

    def press(self, key: str) -> None:
        os.write(self._master, key.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait(SECONDS)
        os.close(self._master)


@pytest.fixture(name="port")
def _port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_server_that_is_mended_is_judged_again(port: int, tmp_path: Path) -> None:
    arguments = [
        f"http://127.0.0.1:{port}",
        "--token",
        TOKEN,
        "--wait",
        "60s",
        "--level",
        "must",
        "--max-messages",
        "4",
    ]
    session = Session(*arguments, "--report-dir", str(tmp_path))
    try:
        with serving(port, broken=True):
            first = session.until(READY)
            assert "FAILED POLL-3" in first
            assert "Since the run before" not in first
            session.press("r")
            again = session.until(READY)
            assert re.search(r"Of the 1 row that failed:\n +still +POLL-3\n", again)
            assert re.search(r"Since the run before:\n +still +POLL-3\n", again)
        with serving(port, broken=False):
            mended = session.until(READY)
            assert re.search(r"Of the 1 row that failed:\n +mended +POLL-3\n", mended)
            assert "FAILED" not in mended
            assert read_report(tmp_path)["verdict"] == "conformant"
            session.press("q")
            assert session.process.wait(SECONDS) == 0
    finally:
        session.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_its_own_code(number: signal.Signals) -> None:
    session = Session("http://127.0.0.1:9", "--token", "T", "--only", "POLL-3")
    try:
        session.until(READY)
        session.process.send_signal(number)
        assert session.process.wait(SECONDS) == 128 + number
    finally:
        session.close()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name it by URL or --target"),
        (["http://127.0.0.1:9", "--write-baseline", "known.yaml"], "a run of its own"),
    ],
)
def test_what_cannot_be_watched_is_refused(arguments: list[str], told: str) -> None:
    result = CliRunner().invoke(cli, ["check", *arguments, "--watch"])
    assert result.exit_code == 2
    assert told in result.stderr


def test_a_port_that_closes_and_opens_is_a_restart(port: int) -> None:
    """Also where the processes cannot be told, as on another machine."""
    restarts = Restarts(Target(base_url=f"http://127.0.0.1:{port}"))
    assert not restarts.restarted()
    with socket.create_server(("127.0.0.1", port)):
        assert restarts.restarted()
        assert not restarts.restarted()


@pytest.mark.skipif(not Path("/proc/net/tcp").is_file(), reason="the kernel tells of no processes")
def test_another_process_behind_the_same_socket_is_a_restart(port: int) -> None:
    """As a reloader does: its own socket stays open, and a child that inherited it answers."""
    child = "import sys; sys.stdin.read()"
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.set_inheritable(True)

        def started() -> subprocess.Popen[bytes]:
            return subprocess.Popen([sys.executable, "-c", child], stdin=subprocess.PIPE, close_fds=False)

        with started() as old:
            restarts = Restarts(Target(base_url=f"http://127.0.0.1:{port}"))
            assert listeners_on(port) == {os.getpid(), old.pid}
            assert not restarts.restarted()
            old.kill()
        with started() as new:
            assert listeners_on(port) == {os.getpid(), new.pid}
            assert restarts.restarted()
            new.kill()
