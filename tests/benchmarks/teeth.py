"""Which faulty servers `sendpoll load` calls, by requirement: `python -m tests.benchmarks.teeth [NAME ...]`.

Each mutant of the conformance suite that errs only while several act at once (or those that are named, or with
`--conditional` all that are mostly right) is put under the load of 50 users of the scenario `overlap`. A line says
whether the requirement that the mutant breaks is among what the run found, after how many seconds, and what else was.
With `--alone` one user is sent, who never overlaps with itself: then nothing may be found in a mutant of concurrency.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.catalogue import BY_NAME, MUTANTS
from tests.mutants.model import Mutant
from tests.mutants.serve import TOKEN, right_server, running

CONCURRENT = tuple(mutant.name for mutant in MUTANTS if mutant.concurrent)
_GUARD_S = 300
_ALONE = """
name: alone
messages: [{text: 你好}]
think_time: {kind: fixed, time: 100ms}
poll_interval: 250ms
messages_per_conversation: 3
reread_share: 1
shape: {kind: steady, users: 1, duration: 10s}
"""


@dataclass(frozen=True, slots=True)
class Called:
    """What a load run said of a server."""

    violations: Mapping[str, int]
    """How many, by requirement."""
    first_at: Mapping[str, float]
    """Seconds from the start of the run to the first one."""
    exit_code: int
    told: str
    """The end of what was printed."""


@contextmanager
def _served(mutant: Mutant | None) -> Iterator[str]:
    """The URL of the mutant; of the right server, where there is none."""
    with running(mutant) if mutant else right_server() as (url, _, _):
        yield url


def said_of(url: str, token: str, *options: str) -> Called:
    """Put load on a server with these options."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "sendpoll.cli.main", "load", url, "--token", token, "--report-dir", folder]
        ran = subprocess.run(
            [*command, *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=_GUARD_S,
            stdin=subprocess.DEVNULL,
        )
        result = json.loads(Path(folder, "result.json").read_text(encoding="utf-8"))
    rows = result["violations"]
    return Called(
        {row["requirement"]: row["count"] for row in rows},
        {row["requirement"]: min(proof["at"] for proof in row["evidence"]) for row in rows},
        ran.returncode,
        (ran.stdout + ran.stderr)[-2000:],
    )


def overlap(users: int, seconds: float) -> tuple[str, ...]:
    """The options for so many people who do not wait for one another."""
    return ("--scenario", "overlap", "--users", str(users), "--duration", f"{seconds:g}s")


def overlapping(name: str | None, seconds: float, users: int = 50) -> Called:
    """What so many people find in a mutant, or in the right server, who do not wait for one another."""
    with _served(BY_NAME[name] if name else None) as url:
        return said_of(url, TOKEN, *overlap(users, seconds))


def alone(name: str | None) -> Called:
    """What one person finds who waits for each answer."""
    with tempfile.TemporaryDirectory() as folder:
        scenario = Path(folder, "alone.yaml")
        scenario.write_text(_ALONE, encoding="utf-8")
        with _served(BY_NAME[name] if name else None) as url:
            return said_of(url, TOKEN, "--scenario", str(scenario))


def _report(names: Sequence[str], seconds: float, is_alone: bool) -> None:
    hits = 0
    for name in names:
        mutant = BY_NAME[name]
        found = alone(name) if is_alone else overlapping(name, seconds)
        hits += mutant.requirement in found.violations
        at = found.first_at.get(mutant.requirement)
        word = "missed" if at is None else f"called after {at:.1f} s"
        print(
            f"{word:20} {mutant.requirement:8} {name:44} {dict(found.violations)}, exit {found.exit_code}", flush=True
        )
    print(f"{hits} of {len(names)} called by their requirement")


def main() -> None:
    """Print a line for each mutant and a count at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--conditional", action="store_true", help="all mutants that are mostly right")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--alone", action="store_true", help="one user who waits for each answer")
    options = parser.parse_args()
    everyone = [mutant.name for mutant in MUTANTS if mutant.conditional] if options.conditional else CONCURRENT
    _report(options.names or everyone, options.seconds, options.alone)


if __name__ == "__main__":
    main()
