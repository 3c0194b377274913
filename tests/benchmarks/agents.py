"""What `check` says of right agents that are slow and scarce: a table over tasks at once, seconds a task, and limits.

`python -m tests.benchmarks.agents --at-once 1 2 --seconds 5 20 --beyond queued refused --finish` runs each cell for
real against the reference server with so many slots, behind a limit where the agent refuses what is more, and then the
command that the report gives, where there is one. Cells mostly wait, so several run side by side.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.limited import OneAtATime, limited
from tests.conformance.reference import TOKEN

_CHUNKS = 20
_GUARD = 4 * 3600


@dataclass(frozen=True, slots=True)
class Cell:
    """One agent."""

    at_once: int
    seconds: float
    beyond: str


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the suite on it."""

    exit_code: int
    minutes: float
    requests: int
    messages: int
    failed: tuple[str, ...]
    left: tuple[str, ...]
    command: str


def outcome(url: str, words: Sequence[str]) -> Ran:
    """Run `check` and read its report."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", TOKEN, *words]
        began = time.monotonic()
        ran = subprocess.run(
            [*command, "--report-dir", folder], capture_output=True, text=True, timeout=_GUARD, check=False
        )
        report: dict[str, Any] = json.loads(Path(folder, "report.json").read_text(encoding="utf-8"))
    rows = report["requirements"]
    return Ran(
        ran.returncode,
        (time.monotonic() - began) / 60,
        report["requests"],
        report["messages_sent"],
        tuple(row["id"] for row in rows if row["verdict"] in {"fail", "inconclusive"}),
        tuple(row["id"] for row in rows if row["verdict"] == "not_exercised"),
        report.get("unfinished", {}).get("command", ""),
    )


def runs(cell: Cell, *, finish: bool) -> list[Ran]:
    """The run with all defaults, and then what it says would finish it."""
    refusing = cell.beyond == "refused"
    guards = (OneAtATime(cell.at_once, by_workspace=False),) if refusing else ()
    slots = 64 if refusing else cell.at_once
    with limited(*guards, slots=slots, chunks=_CHUNKS, chunk_interval=cell.seconds / _CHUNKS) as url:
        done = [outcome(url, ["--seed", "1"])]
        if finish and done[0].command:
            words = shlex.split(done[0].command)
            done.append(outcome(url, words[words.index("--only") :]))
    return done


def _line(cell: Cell, done: Sequence[Ran]) -> str:
    first = done[0]
    shown = ", ".join(first.left) if len(first.left) <= 6 else f"{len(first.left)} rows"
    then = "" if len(done) == 1 else f"{done[1].exit_code} after {done[1].minutes:.1f} min, {done[1].requests} requests"
    cells = (
        str(cell.at_once),
        f"{cell.seconds:g} s",
        cell.beyond,
        str(first.exit_code),
        f"{first.minutes:.1f}",
        str(first.requests),
        str(first.messages),
        ", ".join(first.failed),
        shown,
        then,
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Run the cells and print the table as Markdown, each line when it is known."""
    options = argparse.ArgumentParser()
    options.add_argument("--at-once", type=int, nargs="+", default=[1, 2, 4, 16])
    options.add_argument("--seconds", type=float, nargs="+", default=[5, 20, 60, 180])
    options.add_argument("--beyond", nargs="+", default=["queued", "refused"])
    options.add_argument("--finish", action="store_true", help="run the command that finishes a run that was too short")
    options.add_argument("--beside", type=int, default=8, help="cells that run at the same time")
    given = options.parse_args()
    print("| at once | a task | beyond | exit | minutes | requests | messages | red | left | then |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    cells = [Cell(*cell) for cell in itertools.product(given.at_once, given.seconds, given.beyond)]
    with ThreadPoolExecutor(given.beside) as pool:
        for cell, done in zip(cells, pool.map(lambda cell: runs(cell, finish=given.finish), cells), strict=True):
            print(_line(cell, done), flush=True)


if __name__ == "__main__":
    main()
