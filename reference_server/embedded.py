"""A server for the length of a `with` block: in a thread of this process, or in a process of its own."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import IO

from starlette.types import ASGIApp

from sendpoll.reference_server.app import create_app
from sendpoll.reference_server.database import check_database
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.server import AnnouncingServer, ListenError, base_url, listening
from sendpoll.reference_server.settings import Settings

_STOP_SECONDS = 20


@contextlib.contextmanager
def running(settings: Settings) -> Iterator[str]:
    """Serve in a thread with its own event loop; yield the base URL. Give port 0 for a free one.

    Raises ListenError or StorageError if it cannot start.
    """
    check_database(settings.database)
    with running_app(create_app(settings), settings) as url:
        yield url


@contextlib.contextmanager
def running_app(app: ASGIApp, settings: Settings) -> Iterator[str]:
    """Serve any application, such as a wrapper around one of `create_app`, on the settings' host and port."""
    started = threading.Event()
    failures: list[BaseException] = []
    with listening(settings) as sockets:
        server = AnnouncingServer(app, started.set)

        def work() -> None:
            try:
                server.run(sockets)
            except (Exception, SystemExit) as problem:  # noqa: BLE001 - handed to the thread that waits for the start
                failures.append(problem)
            finally:
                started.set()

        thread = threading.Thread(target=work, name="sendpoll-server", daemon=True)
        thread.start()
        started.wait()
        try:
            if failures:
                raise failures[0]
            yield base_url(settings, sockets)
        finally:
            server.should_exit = True
            thread.join(_STOP_SECONDS)


@contextlib.contextmanager
def spawned(settings: Settings) -> Iterator[str]:
    """Serve in a child process, which shares neither interpreter nor event loop with who loads it; yield the base URL.

    Raises ListenError or StorageError if it cannot start.
    """
    child, url = start_child(settings)
    try:
        yield url
    finally:
        stop_child(child)


def start_child(settings: Settings, log: IO[bytes] | None = None) -> tuple[subprocess.Popen[str], str]:
    """Start a server process; return it and its base URL. Its log goes to a file, or where this process has its own.

    Raises ListenError or StorageError if it cannot start.

    The child gets its settings on standard input, where no list of processes shows them, and ends when that closes:
    also if this process is killed.
    """
    command = [sys.executable, "-m", "sendpoll.reference_server"]
    child = subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal is for who loads it, and must not end it first
    )
    stdin, stdout = _pipes(child)
    stdin.write(json.dumps(dataclasses.asdict(settings)) + "\n")
    stdin.flush()
    kind, _, text = stdout.readline().rstrip("\n").partition(" ")
    if kind == "listening":
        return child, text
    stop_child(child)
    failures = {"ListenError": ListenError, "StorageError": StorageError}
    raise failures.get(kind, RuntimeError)(text or "the server's process ended before it listened")


def stop_child(child: subprocess.Popen[str]) -> None:
    """End a server process that `start_child` gave, as SIGTERM would."""
    stdin, stdout = _pipes(child)
    with stdout, contextlib.suppress(BrokenPipeError):
        stdin.close()
    try:
        child.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _pipes(child: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    if child.stdin is None or child.stdout is None:
        raise RuntimeError("a pipe was asked for and not given")
    return child.stdin, child.stdout
