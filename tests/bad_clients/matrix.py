"""Judges every bad client, says where a verdict is not the one that its fault deserves, and writes the matrix.

`python -m tests.bad_clients.matrix` judges all, or those that are named; `--write` writes the two files that
`sendpoll explain` and readers use, from the outcome of a whole run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sendpoll.schemas.catalogue import Level, Subject, load_catalogue
from tests.bad_clients.catalogue import BAD_CLIENTS, BY_NAME, BadClient

CONFORMANCE = Path(__file__).parents[2] / "conformance"
PROOFS = CONFORMANCE / "bad_clients.json"
TABLE = CONFORMANCE / "CLIENT_KILL_MATRIX.md"
PATIENCE = "12"
"""Seconds. What they are made of waits two seconds for an answer, and tries again."""
AT_ONCE = 3
_HANG_GUARD = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one client."""

    bad: BadClient
    exit_code: int
    verdicts: dict[str, str]
    sentences: dict[str, str]
    """Requirement id to what was said of its first violation."""
    seconds: float
    told: str
    """The end of what was printed."""

    @property
    def failed_musts(self) -> frozenset[str]:
        levels = {row.id: row.level for row in load_catalogue(Subject.CLIENT).checked}
        failed = {row for row, verdict in self.verdicts.items() if verdict == "fail"}
        return frozenset(row for row in failed if levels[row] is Level.MUST)

    def problems(self) -> Iterator[str]:
        """In what the verdicts are not those that the fault deserves."""
        bad = self.bad
        verdict = self.verdicts.get(bad.requirement, "missing from the report")
        if verdict != "fail":
            yield f"survived: {bad.requirement} is {verdict}: {self.told[-400:] if not self.verdicts else ''}"
        if wrong := sorted(self.failed_musts - bad.also - {bad.requirement}):
            yield f"false red: {', '.join(f'{row} ({self.sentences.get(row)})' for row in wrong)}"
        wanted = 1 if self.failed_musts else 0
        if self.exit_code != wanted:
            yield f"exit code {self.exit_code} in place of {wanted}"


def report_on(command: Sequence[str], *options: str) -> tuple[int, dict[str, Any], str]:
    """The exit code, the report and what was printed of `sendpoll client` on a command."""
    with tempfile.TemporaryDirectory() as folder:
        line = [sys.executable, "-m", "sendpoll.cli.main", "client", "--report-dir", folder, *options, "--", *command]
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
        ran = subprocess.run(line, capture_output=True, text=True, timeout=_HANG_GUARD, env=environment, check=False)
        path = Path(folder, "report.json")
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return ran.returncode, report, ran.stdout + ran.stderr


def outcome_of(bad: BadClient) -> Outcome:
    started = time.monotonic()
    code, report, told = report_on(bad.command, "--patience", PATIENCE)
    rows = report.get("requirements", [])
    return Outcome(
        bad,
        code,
        {row["id"]: row["verdict"] for row in rows},
        {row["id"]: str(row["violations"][0]["sentence"]) for row in rows if row["violations"]},
        time.monotonic() - started,
        told[-2000:],
    )


def outcomes(bad: Sequence[BadClient]) -> Iterator[Outcome]:
    """Several at a time, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(outcome_of, bad)


def proofs() -> dict[str, list[str]]:
    """Requirement id to the names of the clients that prove its situations."""
    rows = load_catalogue(Subject.CLIENT).checked
    return {row.id: [bad.name for bad in BAD_CLIENTS if bad.requirement == row.id] for row in rows}


def table(ran: Iterable[Outcome]) -> str:
    """The matrix as Markdown."""
    levels = {row.id: row.level for row in load_catalogue(Subject.CLIENT).checked}
    lines = [
        "# The kill matrix of clients",
        "",
        "Written by `python -m tests.bad_clients.matrix --write`; do not edit.",
        "",
        f"{len(BAD_CLIENTS)} clients with one fault each, in [tests/bad_clients](../tests/bad_clients/programs).",
        "For each, its row must fail, and no other MUST but those that the same fault breaks by necessity.",
        "",
        "| client | its fault | row | level | other MUST rows that fail |",
        "|---|---|---|---|---|",
    ]
    for outcome in ran:
        bad = outcome.bad
        others = ", ".join(sorted(outcome.failed_musts - {bad.requirement}, key=lambda row: int(row[2:])))
        lines.append(f"| `{bad.name}` | {bad.fault} | {bad.requirement} | {levels[bad.requirement]} | {others} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Judge them; 1 where a verdict is not as it has to be."""
    parser = argparse.ArgumentParser(prog="python -m tests.bad_clients.matrix")
    parser.add_argument("--write", action="store_true", help="write conformance/bad_clients.json and the table")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these")
    chosen = parser.parse_args()
    if chosen.write and chosen.names:
        parser.error("--write needs all of them; leave the names out")
    if unknown := [name for name in chosen.names if name not in BY_NAME]:
        parser.error(f"there is no bad client {unknown[0]}")
    ran, wrong = [], 0
    for outcome in outcomes([BY_NAME[name] for name in chosen.names] or BAD_CLIENTS):
        ran.append(outcome)
        problems = list(outcome.problems())
        wrong += bool(problems)
        print(f"{outcome.bad.name:32} {outcome.bad.requirement:5} {outcome.seconds:5.1f} s", flush=True)
        print("".join(f"    {problem}\n" for problem in problems), end="", flush=True)
    print(f"{len(ran) - wrong} of {len(ran)} as they have to be")
    if chosen.write and not wrong:
        PROOFS.write_text(json.dumps(proofs(), indent=1) + "\n", encoding="utf-8")
        TABLE.write_text(table(ran), encoding="utf-8")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
