"""The reference server on a file, and the line for a shell that kills it without warning and starts it again."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sendpoll.core.dialing.waiting import wait_until_it_answers
from sendpoll.core.restart_command import RestartCommand
from sendpoll.core.target.target import Target

TOKEN = "killable-token"
_SCRIPT = """\
[ -f pid ] && kill -9 "$(cat pid)"
SENDPOLL_TOKENS={token} nohup {serve} > log 2>&1 &
echo $! > pid
"""


@dataclass(frozen=True, slots=True)
class Killable:
    """A server that is up."""

    url: str
    command: str
    """Kills it and starts it again; ends before it listens."""


@contextlib.contextmanager
def killable(folder: Path, *options: str) -> Iterator[Killable]:
    """Serve from a folder, with further options of `sendpoll serve`."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    serve = [sys.executable, "-m", "sendpoll.cli.main", "serve", "--host", "127.0.0.1", "--port", str(port)]
    serve += ["--database", "log.sqlite3", *options]
    (folder / "restart").write_text(_SCRIPT.format(token=TOKEN, serve=shlex.join(serve)), encoding="utf-8")
    command = f"cd {shlex.quote(str(folder))} && sh ./restart"
    server = Killable(f"http://127.0.0.1:{port}", command)
    started = RestartCommand(command)
    try:
        if not wait_until_it_answers(Target(base_url=server.url), 60):
            raise RuntimeError((folder / "log").read_text(encoding="utf-8"))
        yield server
    finally:
        started.close()
        with contextlib.suppress(OSError, ValueError):
            os.kill(int((folder / "pid").read_text(encoding="ascii")), signal.SIGKILL)
