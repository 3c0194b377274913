"""What `check` says of right agents that are slow and scarce: a table over tasks at once, seconds a task, and limits.

`python -m tests.benchmarks.agents` runs each cell against the reference server with so many slots, behind a limit where
the agent refuses what is more, and then the command that the report gives, where there is one. Agent and suite live
ten times as fast as they would (`--faster`), so that the table takes a quarter of an hour; `--faster 1` is real time.
With `--write`, the table in conformance/AGENTS.md is written anew. The exit code is 1 where a row was red, or where a
run did not end with 0, or with 3 and a command that does.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.limited import OneAtATime, limited
from tests.conformance.reference import TOKEN

PAGE = Path(__file__).parents[2] / "conformance" / "AGENTS.md"
AT_ONCE, SECONDS, BEYOND = (1, 2, 4, 16), (5.0, 20.0, 60.0, 180.0), ("queued", "refused")
_CHUNKS = 20
_SLOTS = 64
"""Of an agent that does not queue."""
_GUARD = 4 * 3600
_HEAD = """# What `check` says of agents that are slow and scarce

Written by `python -m tests.benchmarks.agents --write`; do not edit.

Each line is a right agent that runs so many tasks at once, of so many seconds each; what is more waits in a queue, or
is refused with 409. `sendpoll check URL` ran on it with all its defaults, and where it ended with 3 (*nothing certain
can be said*), the command at the end of its report ran next. No row may be red, and the last code must be 0.
Measured with the reference server as the agent, {faster}.

| at once | a task | beyond | exit | minutes | requests | messages | red | rows left | the command then |
|---:|---:|---|---:|---:|---:|---:|---|---:|---|
"""


@dataclass(frozen=True, slots=True)
class Cell:
    """One agent."""

    at_once: int
    seconds: float
    beyond: str


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of the suite on it; `minutes` of the agent's time."""

    exit_code: int
    minutes: float
    requests: int
    messages: int
    red: tuple[str, ...]
    left: tuple[str, ...]
    command: str


def ran(words: Sequence[str], faster: float) -> Ran:
    """Run the command, so many times as fast, and read its report."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.conformance.hurried", f"{faster:g}", *words, "--report-dir", folder]
        began = time.monotonic()
        ended = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=_GUARD,
            check=False,
            env={**os.environ, "SENDPOLL_TOKEN": TOKEN},
        )
        seconds = faster * (time.monotonic() - began)
        path = Path(folder, "report.json")
        if not path.exists():
            raise SystemExit(f"{shlex.join(command)} ended with {ended.returncode} and no report:\n{ended.stderr}")
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    rows = report["requirements"]
    return Ran(
        ended.returncode,
        seconds / 60,
        report["requests"],
        report["messages_sent"],
        tuple(row["id"] for row in rows if row["verdict"] in {"fail", "inconclusive"}),
        tuple(row["id"] for row in rows if row["verdict"] == "not_exercised"),
        report.get("unfinished", {}).get("command", ""),
    )


def runs(cell: Cell, faster: float = 1.0) -> list[Ran]:
    """The run with all defaults, and then what it says would finish it."""
    refusing = cell.beyond == "refused"
    guards = (OneAtATime(cell.at_once, by_workspace=False),) if refusing else ()
    slots = _SLOTS if refusing else cell.at_once
    with limited(*guards, slots=slots, chunks=_CHUNKS, chunk_interval=cell.seconds / _CHUNKS / faster) as url:
        done = [ran(["check", url, "--seed", "1"], faster)]
        if done[0].command:
            words = shlex.split(done[0].command)
            done.append(ran(words[words.index("check") :], faster))
    return done


def is_right(done: Sequence[Ran]) -> bool:
    """Whether no row was red, and the last run ended with 0."""
    return not any(one.red for one in done) and done[-1].exit_code == 0 and done[0].exit_code in {0, 3}


def _line(cell: Cell, done: Sequence[Ran]) -> str:
    first, *then = done
    red = dict.fromkeys(row for one in done for row in one.red)
    told = [
        f"{one.exit_code} after {one.minutes:.1f} min, {one.requests} requests, {one.messages} messages" for one in then
    ]
    cells = (
        str(cell.at_once),
        f"{cell.seconds:g} s",
        cell.beyond,
        str(first.exit_code),
        f"{first.minutes:.1f}",
        str(first.requests),
        str(first.messages),
        ", ".join(red) or "none",
        str(len(first.left)),
        ", ".join(told) or "-",
    )
    return f"| {' | '.join(cells)} |\n"


def _table(cells: Sequence[Cell], faster: float, beside: int) -> Iterator[tuple[bool, str]]:
    with ThreadPoolExecutor(beside) as pool:
        for cell, done in zip(cells, pool.map(lambda cell: runs(cell, faster), cells), strict=True):
            yield is_right(done), _line(cell, done)


def main() -> int:
    """Run the cells and print the table as Markdown, each line when it is known."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.agents", description=__doc__)
    options.add_argument("--at-once", type=int, nargs="+", default=AT_ONCE)
    options.add_argument("--seconds", type=float, nargs="+", default=SECONDS)
    options.add_argument("--beyond", nargs="+", default=BEYOND)
    options.add_argument("--faster", type=float, default=10.0, help="how many times as fast as an agent would live")
    options.add_argument("--beside", type=int, default=4, help="cells that run at the same time")
    options.add_argument("--write", action="store_true", help="write the page")
    given = options.parse_args()
    faster = (
        "in real time"
        if given.faster == 1
        else f"agent and suite {given.faster:g} times as fast: a request seems to cost so much more time"
    )
    page = _HEAD.format(faster=faster)
    print(page, end="", flush=True)
    cells = [Cell(*cell) for cell in itertools.product(given.at_once, given.seconds, given.beyond)]
    wrong = 0
    for right, line in _table(cells, given.faster, given.beside):
        wrong += not right
        page += line
        print(line, end="", flush=True)
    if given.write:
        PAGE.write_text(page, encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
