"""Loads on servers that each give in one way, watched."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

USERS: Final = {"cpu": 60, "memory": 10, "files": 30, "slots": 8, "sound": 10}
SECONDS: Final = {"cpu": 12, "memory": 32, "files": 12, "slots": 14, "sound": 32}
GIVES: Final = {"cpu": "thread", "memory": "memory", "files": "files", "slots": "queue", "sound": None}
"""Which resource is to be named."""


@dataclass(frozen=True)
class Served:
    """A server of its own process."""

    url: str
    pid: int


@contextlib.contextmanager
def limited(kind: str) -> Iterator[Served]:
    """A server that gives in one way, for the length of a `with` block."""
    command = [sys.executable, "-m", "tests.load.observe.limited_server", kind]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield Served(child.stdout.readline().strip(), child.pid)
        finally:
            child.kill()


def watched(kind: str, folder: Path) -> Any:
    """What a result says was observed."""
    with limited(kind) as server:
        source = ["--observe", server.url] if kind == "slots" else ["--observe-pid", str(server.pid)]
        load = [sys.executable, "-m", "sendpoll.cli.main", "load", server.url, "--token", "x", *source]
        shape = ["--users", str(USERS[kind]), "--duration", f"{SECONDS[kind]}s", "--think", "200ms"]
        subprocess.run([*load, *shape, "--report-dir", folder], check=False, timeout=120, capture_output=True)
    return json.loads((folder / "result.json").read_text())["observed"]


def named(observed: Any) -> str | None:
    """The resource that the sentence names."""
    return observed["findings"][0]["resource"] if observed["findings"] else None
