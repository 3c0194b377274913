"""Runs the suite on every mutant, says where a verdict is not the one that its fault deserves, and writes the matrix.

`python -m tests.mutants.matrix` runs all mutants, or those that are named; `--write` writes the two files that
`sendpoll explain` and readers use, from the outcome of a whole run.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
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

from sendpoll.schemas.catalogue import Level, load_catalogue
from tests.mutants.catalogue import BY_NAME, MUTANTS
from tests.mutants.model import Mutant
from tests.mutants.restarting import restart_command
from tests.mutants.serve import running

CONFORMANCE = Path(__file__).parents[2] / "conformance"
PROOFS = CONFORMANCE / "mutants.json"
TABLE = CONFORMANCE / "KILL_MATRIX.md"
_ROOT = CONFORMANCE.parent
_DECIDES = (
    CONFORMANCE / "rules",
    CONFORMANCE / "server" / "checks",
    CONFORMANCE / "server" / "inputs",
    _ROOT / "core" / "oracle.py",
)

_OPTIONS = ("--examples", "20", "--task-timeout", "20", "--deadline", "150")
_HANG_GUARD = 300
AT_ONCE = 4
"""Most of a run is waiting for tasks, so two cores carry several runs at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the suite said of one mutant."""

    mutant: Mutant
    exit_code: int
    verdicts: dict[str, str]
    """Requirement id to its verdict."""
    sentences: dict[str, str]
    """Requirement id to what was said of its first violation."""
    seconds: float
    told: str
    """The end of what was printed."""

    @property
    def failed_musts(self) -> frozenset[str]:
        """The MUST rows that failed."""
        levels = {row.id: row.level for row in load_catalogue().checked}
        return frozenset(
            identifier
            for identifier, verdict in self.verdicts.items()
            if verdict == "fail" and levels[identifier] is Level.MUST
        )

    def problems(self) -> Iterator[str]:
        """In what the verdicts are not those that the fault deserves."""
        mutant = self.mutant
        verdict = self.verdicts.get(mutant.requirement, "missing from the report")
        if verdict != "fail":
            yield f"survived: {mutant.requirement} is {verdict}"
        if wrong := sorted(self.failed_musts - mutant.also - {mutant.requirement}):
            yield f"false red: {', '.join(wrong)}"
        must = load_catalogue().by_id[mutant.requirement].level is Level.MUST or bool(self.failed_musts)
        if must and self.exit_code != 1:
            yield f"exit code {self.exit_code} in place of 1"
        if not must and self.exit_code not in (0, 3):
            yield f"exit code {self.exit_code} for a SHOULD"


def outcome_of(mutant: Mutant, seed: int = 1) -> Outcome:
    """Run the suite on the mutant."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, running(mutant) as (url, token, second_token):
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", token]
        command += ["--second-token", second_token, "--report-dir", folder, "--seed", str(seed), *_OPTIONS]
        command += ["--restart", restart_command(url)] if mutant.restarts else []
        environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "120"}
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_HANG_GUARD, env=environment, check=False)
        path = Path(folder, "report.json")
        report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    rows = report.get("requirements", [])
    return Outcome(
        mutant,
        ran.returncode,
        {row["id"]: row["verdict"] for row in rows},
        {row["id"]: _sentence(row["violations"][0]) for row in rows if row["violations"]},
        time.monotonic() - started,
        (ran.stdout + ran.stderr)[-2000:],
    )


def _sentence(violation: Any) -> str:
    return str(violation.get("sentence", violation) if isinstance(violation, dict) else violation)


def outcomes(mutants: Sequence[Mutant]) -> Iterator[Outcome]:
    """Run several at a time, in their order."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(outcome_of, mutants)


def digest() -> str:
    """What a verdict is made of, in one word: rows, rules, checks, inputs, oracle, and the mutants themselves.

    Comments, docstrings, layout and whatever only carries requests change nothing, so that the matrix need not be
    written anew for them.
    """
    told = hashlib.sha256()
    for row in load_catalogue().checked:
        told.update(f"{row.id} {row.level}\n".encode())
    for mutant in MUTANTS:
        told.update(f"{mutant.name} {mutant.requirement} {' '.join(sorted(mutant.also))}\n".encode())
    for path in sorted(path for place in _DECIDES for path in (place.rglob("*.py") if place.is_dir() else (place,))):
        told.update(meaning(path).encode())
    return told.hexdigest()[:16]


def meaning(path: Path) -> str:
    """A module without what Python does not run."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [each for each in body if not _is_words(each)]
    return ast.dump(tree)


def _is_words(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def proofs() -> dict[str, list[str]]:
    """Requirement id to the names of the mutants that prove its check."""
    rows = load_catalogue().checked
    return {row.id: [mutant.name for mutant in MUTANTS if mutant.requirement == row.id] for row in rows}


def table(ran: Iterable[Outcome]) -> str:
    """The matrix as Markdown."""
    ran = list(ran)
    conditional = sum(outcome.mutant.conditional for outcome in ran)
    lines = [
        "# The kill matrix",
        "",
        f"Written by `python -m tests.mutants.matrix --write` of the suite {digest()}; do not edit.",
        "",
        f"{len(ran)} servers with one fault each, {conditional} of them conditional: they answer mostly rightly.",
        "For each, its requirement must fail, and no other MUST but those that the same fault breaks by necessity.",
        "",
        "## What proves each requirement",
        "",
        "| requirement | level | mutants |",
        "|---|---|---|",
    ]
    rows = load_catalogue().by_id
    for identifier, names in proofs().items():
        lines.append(f"| {identifier} | {rows[identifier].level} | {', '.join(f'`{name}`' for name in names)} |")
    lines += ["", "## What each mutant did to the verdicts", ""]
    lines += ["| mutant | its fault | conditional | failed | other MUST rows that failed |", "|---|---|---|---|---|"]
    for outcome in ran:
        mutant = outcome.mutant
        failed = mutant.requirement if outcome.verdicts.get(mutant.requirement) == "fail" else "**nothing**"
        others = ", ".join(sorted(outcome.failed_musts - {mutant.requirement}))
        said = "yes" if mutant.conditional else ""
        lines.append(f"| `{mutant.name}` | {_cell(mutant.fault)} | {said} | {failed} | {others} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("*", "\\*")


def write(ran: Sequence[Outcome]) -> None:
    """Write the two generated files."""
    TABLE.write_text(table(ran), encoding="utf-8")
    PROOFS.write_text(json.dumps(proofs(), indent=1) + "\n", encoding="utf-8")


def main() -> int:
    """Run, print a line for each mutant, and say how many were judged wrongly."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.matrix", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--write", action="store_true", help="write KILL_MATRIX.md and mutants.json")
    options = parser.parse_args()
    if options.write and options.names:
        parser.error("--write needs the outcome of all mutants; leave the names away")
    chosen = [BY_NAME[name] for name in options.names] or MUTANTS
    ran, wrong = [], 0
    for outcome in outcomes(chosen):
        ran.append(outcome)
        problems = list(outcome.problems())
        wrong += bool(problems)
        others = ",".join(sorted(outcome.failed_musts - {outcome.mutant.requirement}))
        said = f"{outcome.mutant.name:44} {outcome.mutant.requirement:8} {outcome.seconds:5.1f} s  {others}"
        print(said.rstrip(), flush=True)
        for problem in problems:
            print(f"    {problem}", flush=True)
        for identifier in sorted(outcome.failed_musts - outcome.mutant.also - {outcome.mutant.requirement}):
            print(f"        {identifier}: {outcome.sentences.get(identifier, '')[:300]}", flush=True)
        if problems and outcome.exit_code in (2, 3, 4):
            print("        " + outcome.told[-600:].replace("\n", "\n        "), flush=True)
    print(f"{len(ran) - wrong} of {len(ran)} judged as they deserve")
    if options.write:
        write(ran)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
