"""Runs `check` and `load` on each server of a folder of cases, and its scripts, and compares what is said.

`python -m tests.cases.run_shared FOLDER [NAME...]`: a case is a program that takes `--port` and `--token`, or a script
that runs $SENDPOLL itself. A table is printed, and the exit code is 1 where something else is said than must be.
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
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sendpoll.schemas.catalogue import Level, load_catalogue
from tests.cases.expected import EXPECTED, LOADED, SCRIPTS, Expected

_TOKEN = "token-of-the-cases"
_GUARD = 400
_START_SECONDS = 10.0
_SCRIPT = "script"
_LATE = re.compile("event loop was late|sent polls late")
"""What a load run says of a machine that is too busy for it: nothing follows of the server."""


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
            yield f"exit {self.exit_code}" + (", the generator was late" if _LATE.search(self.printed) else "")
        if expected.failed and not failed & expected.failed:
            yield f"none of {', '.join(sorted(expected.failed))} failed"
        if wrong := sorted((failed & must) - expected.failed - expected.also):
            yield f"false red: {', '.join(wrong)}"
        if wrong := sorted(failed & expected.green):
            yield f"must not fail: {', '.join(wrong)}"
        if expected.says and not re.search(expected.says, self.printed):
            yield f"does not say {expected.says}"


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to run: `check` or `load` on a program, or a script."""

    program: Path
    command: str

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"{self.command} {self.program.stem}"


def run_case(case: Case, expected: Expected, seed: int) -> Outcome:
    """Start the case's server, and check it or put load on it."""
    port = _free_port()
    command = [sys.executable, str(case.program), "--port", str(port), "--token", _TOKEN]
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server,
    ):
        try:
            _await_listener(port, "::1" if "[" in expected.url else "127.0.0.1")
            words = [case.command, expected.url.format(port=port), "--seed", str(seed), *expected.options]
            return _outcome(Path(folder), words)
        finally:
            server.kill()


def _outcome(folder: Path, words: Sequence[str]) -> Outcome:
    began = time.monotonic()
    command = [sys.executable, "-m", "sendpoll.cli.main", *words, "--token", _TOKEN, "--report-dir", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=_GUARD, env=_environment(), check=False)
    report = next((_read(folder / name) for name in ("report.json", "result.json") if (folder / name).exists()), {})
    verdicts = {row["id"]: row["verdict"] for row in report.get("requirements", [])}
    failed = [row for row, verdict in verdicts.items() if verdict == "fail"]
    failed += [row["requirement"] for row in report.get("violations", [])]
    return Outcome(
        ran.returncode,
        tuple(failed),
        sum(verdict in {"not_exercised", "inconclusive"} for verdict in verdicts.values()),
        report.get("requests", 0),
        time.monotonic() - began,
        ran.stdout + ran.stderr,
    )


def _read(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return read


def _environment() -> dict[str, str]:
    return {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}


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


def judged(case: Case) -> tuple[bool, list[str]]:
    """Whether a case is judged as it must be, and a line of the table for each seed."""
    if case.command == _SCRIPT:
        return _printed(case)
    expected = (EXPECTED if case.command == "check" else LOADED)[case.program.stem]
    lines, right = [], 0
    for seed in expected.seeds:
        outcome = run_case(case, expected, seed)
        problems = list(outcome.problems(expected))
        right += not problems
        must = ", ".join(outcome.failed) or "-"
        lines.append(
            f"{case.name:42} exit {outcome.exit_code}  {outcome.seconds:5.1f} s  {outcome.requests:6} requests"
            f"  {outcome.unjudged:2} unjudged  failed {must}" + (f"   << {'; '.join(problems)}" if problems else "")
        )
    return right >= (expected.enough or len(expected.seeds)), lines


def _printed(case: Case) -> tuple[bool, list[str]]:
    """The same of a script, by what it prints."""
    began = time.monotonic()
    command = Path(sys.executable).with_name("sendpoll")
    ran = subprocess.run(
        ["bash", str(case.program)],
        capture_output=True,
        text=True,
        timeout=_GUARD,
        env={**_environment(), "SENDPOLL": str(command), "PATH": f"{command.parent}:{os.environ['PATH']}"},
        check=False,
    )
    told, must = ran.stdout + ran.stderr, SCRIPTS[case.program.stem]
    problems = [f"does not say {wanted}" for wanted in must.wanted if not re.search(wanted, told)]
    problems += [f"says {never}" for never in must.never if re.search(never, told)]
    seconds = time.monotonic() - began
    return not problems, [f"{case.name:42} {seconds:5.1f} s" + (f"   << {'; '.join(problems)}" if problems else "")]


def cases(folder: Path, names: Sequence[str]) -> Iterator[Case]:
    """All cases of a folder that are in the tables, or those whose names begin so."""
    for path in sorted(folder.iterdir()):
        if names and not path.stem.startswith(tuple(names)):
            continue
        if path.suffix == ".py":
            tables = {"check": EXPECTED, "load": LOADED}
            yield from (Case(path, command) for command, table in tables.items() if path.stem in table)
        elif path.suffix == ".sh" and path.stem in SCRIPTS:
            yield Case(path, _SCRIPT)


def main() -> int:
    """Run the cases of the folder, or those that are named."""
    parser = argparse.ArgumentParser(prog="python -m tests.cases.run_shared", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", help="beginnings of names, such as 05")
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    found = list(cases(options.folder, options.names))
    wrong = 0
    with ThreadPoolExecutor(options.at_once) as pool:
        for good, lines in pool.map(judged, found):
            wrong += not good
            print("\n".join(lines), flush=True)
    print(f"{len(found) - wrong} of {len(found)} judged as they must be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
