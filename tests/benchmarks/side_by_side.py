"""Schemathesis at its defaults and `sendpoll check`, on the same mutants: found or not, and how long.

`python -m tests.benchmarks.side_by_side` prints the table as Markdown. Both first run on the reference server, where
both must find nothing; Schemathesis has the two exceptions in `schemathesis.toml` for what it cannot know.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sendpoll.reference_server.embedded import spawned
from sendpoll.reference_server.settings import Settings
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import running

ROOT = Path(__file__).parents[2]
_GUARD = 600
_MUTANTS = (
    "next-offset-string",
    "content-a-list",
    "conversation-id-renamed",
    "poll-without-envelope",
    "polls-as-plain-text",
    "malformed-from-breaks",
    "offset-skips-an-event",
    "offset-repeats-an-event",
    "offset-stuck",
    "from-ignored",
    "events-reversed",
    "history-rewritten",
    "status-running-again",
    "offset-back-on-seventh-poll",
    "fifth-event-never-in-increments",
    "tasks-at-once-leak",
    "completed-before-the-last-event",
    "never-final",
    "task-id-reused",
    "last-event-cut-for-late-reader",
)


@dataclass(frozen=True, slots=True)
class Found:
    """What one tool said of one server."""

    found: bool
    seconds: float


@contextmanager
def _server(name: str | None) -> Iterator[tuple[str, str]]:
    if name is None:
        with spawned(Settings(tokens=("reference-token",), port=0, chunk_interval=0.03)) as url:
            yield url, "reference-token"
    else:
        with running(BY_NAME[name]) as (url, token, _):
            yield url, token


def _timed(command: Sequence[str], folder: Path) -> Found:
    began = time.monotonic()
    try:
        ran = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=_GUARD)
    except subprocess.TimeoutExpired:
        return Found(False, time.monotonic() - began)
    return Found(ran.returncode == 1, time.monotonic() - began)


def _both(name: str | None) -> tuple[str | None, Found, Found]:
    with tempfile.TemporaryDirectory() as made, _server(name) as (url, token):
        folder = Path(made)
        folder.joinpath("schemathesis.toml").write_bytes((ROOT / "schemathesis.toml").read_bytes())
        theirs = [sys.executable, "-m", "schemathesis.cli", "run", f"{url}/openapi.json"]
        theirs += ["-H", f"Authorization: Bearer {token}", "--seed", "1"]
        schemathesis = _timed(theirs, folder)
    with tempfile.TemporaryDirectory() as made, _server(name) as (url, token):
        ours = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", token, "--seed", "1"]
        sendpoll = _timed([*ours, "--task-timeout", "20"], Path(made))
    return name, schemathesis, sendpoll


def _cell(found: Found) -> str:
    return f"{'found' if found.found else 'not found'}, {found.seconds:.0f} s"


def main() -> None:
    """Print a row a server as it is done, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--at-once", type=int, default=2, help="servers at a time")
    parser.add_argument("names", nargs="*", default=_MUTANTS, metavar="MUTANT")
    options = parser.parse_args()
    print("| server | fault | Schemathesis | sendpoll check |\n|---|---|---|---|")
    sums = [0, 0]
    with ThreadPoolExecutor(options.at_once) as pool:
        for name, theirs, ours in pool.map(_both, [None, *options.names]):
            fault = BY_NAME[name].fault if name else "none"
            print(f"| {name or 'reference server'} | {fault} | {_cell(theirs)} | {_cell(ours)} |", flush=True)
            if name:
                sums = [sums[0] + theirs.found, sums[1] + ours.found]
    print(f"| **found** | | **{sums[0]} of {len(options.names)}** | **{sums[1]} of {len(options.names)}** |")


if __name__ == "__main__":
    main()
