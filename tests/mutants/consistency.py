"""Runs the suite several times on the reference server and on some mutants: every row must get the same verdict.

`python -m tests.mutants.consistency` does five runs on each; the seed is another every time, so that what is drawn
cannot change a verdict either.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.catalogue import BY_NAME
from tests.mutants.exchange import Answer, Asked, Forward
from tests.mutants.matrix import AT_ONCE, outcome_of
from tests.mutants.model import Mutant


async def _rightly(asked: Asked, forward: Forward) -> Answer:
    return await forward(asked)


_REFERENCE = Mutant(name="reference", requirement="POLL-1", fault="none", make=_rightly)
_CHOSEN = (
    "known-workspace-conflicts",
    "task-id-braces",
    "final-without-next-offset",
    "status-waits-for-a-tool",
    "late-reader-gets-a-page",
    "overlapping-polls-lose-events",
    "emoji-cut-in-two-chunks",
    "charset-missing-beyond-ascii",
    "trailer-at-the-end",
    "malformed-from-cuts-the-task",
)
"""Ten, whose faults are as conditional as they come."""


def wavering(mutant: Mutant, runs: int) -> dict[str, Counter[str]]:
    """The rows that did not get the same verdict in all runs, with how often they got which."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda seed: outcome_of(mutant, seed), range(1, runs + 1)))
    rows = {row: Counter(outcome.verdicts.get(row, "missing") for outcome in outcomes) for row in outcomes[0].verdicts}
    return {row: verdicts for row, verdicts in rows.items() if len(verdicts) > 1}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each server, and for each row that wavered."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.consistency", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="mutants in place of the ten that are chosen")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args(arguments)
    found = 0
    for mutant in (_REFERENCE, *(BY_NAME[name] for name in options.names or _CHOSEN)):
        rows = wavering(mutant, options.runs)
        found += len(rows)
        print(f"{mutant.name:40} {options.runs} runs, {len(rows)} rows wavered", flush=True)
        for row, verdicts in rows.items():
            print(f"    {row}: {', '.join(f'{verdict} {count} times' for verdict, count in verdicts.items())}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
