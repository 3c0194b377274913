"""Runs the suite on each server of a folder of cases, and compares what it says with what must be said.

`python -m tests.cases.run_shared FOLDER [NAME...]`: every case is a program that takes `--port` and `--token`. A table
is printed, and the exit code is 1 where a case is judged otherwise than it must be.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sendpoll.schemas.catalogue import Level, load_catalogue
from tests.cases.expected import EXPECTED, Expected

_TOKEN = "token-of-the-cases"
_GUARD = 400
_START_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the suite said of one case under one seed."""

    exit_code: int
    failed: tuple[str, ...]
    unjudged: int
    requests: int
    seconds: float
    printed: str

    def problems(self, expected: Expected) -> Iterator[str]:
        """In what it is not what must be said."""
        must = {row.id for row in load_catalogue().checked if row.level is Level.MUST}
        failed = set(self.failed)
        if self.exit_code not in expected.exit_codes:
            yield f"exit {self.exit_code}"
        if expected.failed and not failed & expected.failed:
            yield f"none of {', '.join(sorted(expected.failed))} failed"
        if wrong := sorted((failed & must) - expected.failed - expected.also):
            yield f"false red: {', '.join(wrong)}"
        if wrong := sorted(failed & expected.green):
            yield f"must not fail: {', '.join(wrong)}"
        if expected.says and not re.search(expected.says, self.printed):
            yield f"does not say {expected.says}"


def run_case(program: Path, expected: Expected, seed: int) -> Outcome:
    """Start the case's server and check it."""
    port = _free_port()
    command = [sys.executable, str(program), "--port", str(port), "--token", _TOKEN]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server,
    ):
        try:
            _await_listener(port, "::1" if "[" in expected.url else "127.0.0.1")
            return _checked(Path(folder), expected.url.format(port=port), expected.options, seed)
        finally:
            server.kill()


def _checked(folder: Path, url: str, options: tuple[str, ...], seed: int) -> Outcome:
    began = time.monotonic()
    command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", _TOKEN, "--seed", str(seed)]
    command += ["--report-dir", str(folder), *options]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_GUARD, env=environment, check=False)
    path = folder / "report.json"
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    verdicts = {row["id"]: row["verdict"] for row in report.get("requirements", [])}
    return Outcome(
        ran.returncode,
        tuple(row for row, verdict in verdicts.items() if verdict == "fail"),
        sum(verdict in {"not_exercised", "inconclusive"} for verdict in verdicts.values()),
        report.get("requests", 0),
        time.monotonic() - began,
        ran.stdout + ran.stderr,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_listener(port: int, host: str) -> None:
    give_up = time.monotonic() + _START_SECONDS
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(0.05)
        else:
            return


def judged(program: Path) -> tuple[bool, list[str]]:
    """Whether a case is judged as it must be, and a line of the table for each seed."""
    expected = EXPECTED[program.stem]
    lines, right = [], 0
    for seed in expected.seeds:
        outcome = run_case(program, expected, seed)
        problems = list(outcome.problems(expected))
        right += not problems
        must = ", ".join(outcome.failed) or "-"
        lines.append(
            f"{program.stem:34} exit {outcome.exit_code}  {outcome.seconds:5.1f} s  {outcome.requests:6} requests"
            f"  {outcome.unjudged:2} unjudged  failed {must}" + (f"   << {'; '.join(problems)}" if problems else "")
        )
    return right >= (expected.enough or len(expected.seeds)), lines


def main() -> int:
    """Run the cases of the folder, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases.run_shared", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="beginnings of names, such as 05")
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    programs = [
        path
        for path in sorted(options.folder.glob("*.py"))
        if path.stem in EXPECTED and (not options.names or path.stem.startswith(tuple(options.names)))
    ]
    wrong = 0
    with ThreadPoolExecutor(options.at_once) as pool:
        for good, lines in pool.map(judged, programs):
            wrong += not good
            print("\n".join(lines), flush=True)
    print(f"{len(programs) - wrong} of {len(programs)} judged as they must be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
