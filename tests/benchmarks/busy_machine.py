"""Whether verdicts depend on the machine: the same runs idle and beside busy processes, compared row by row.

`python -m tests.benchmarks.busy_machine --busy 4 --times 10 --mutants 40` runs the reference server so many times, and
so many mutants once, beside four busy processes a core, and once each without them.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
from collections.abc import Iterator

from tests.benchmarks.messages import report_of
from tests.mutants.catalogue import MUTANTS
from tests.mutants.matrix import outcome_of


def _spin() -> None:
    while True:
        sum(range(100_000))


@contextlib.contextmanager
def busy(a_core: int) -> Iterator[None]:
    """So many busy processes a core beside the block."""
    spinning = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(a_core * (os.cpu_count() or 1))]
    for process in spinning:
        process.start()
    try:
        yield
    finally:
        for process in spinning:
            process.terminate()
            process.join()


def _reference() -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in report_of(16)["requirements"]}


def _mutant(name: str) -> dict[str, str]:
    return outcome_of(next(mutant for mutant in MUTANTS if mutant.name == name)).verdicts


def _differences(idle: dict[str, str], loaded: dict[str, str]) -> str:
    changed = [f"{row} {idle[row]} -> {loaded.get(row)}" for row in idle if idle[row] != loaded.get(row)]
    return ", ".join(changed)


def main() -> None:
    """Compare, and print what differs as a table."""
    options = argparse.ArgumentParser()
    options.add_argument("--busy", type=int, default=4, help="busy processes a core")
    options.add_argument("--times", type=int, default=10, help="runs on the reference server")
    options.add_argument("--mutants", type=int, default=40)
    options.add_argument("--seed", type=int, default=1, help="of the choice of mutants")
    given = options.parse_args()
    names = random.Random(given.seed).sample([mutant.name for mutant in MUTANTS], given.mutants)
    print("| server | what differs beside busy processes |\n|---|---|")
    plain = _reference()
    idle = {name: _mutant(name) for name in names}
    changed = 0
    with busy(given.busy):
        for number in range(given.times):
            told = _differences(plain, _reference())
            changed += bool(told)
            print(f"| reference server, run {number + 1} | {told} |", flush=True)
        for name in names:
            told = _differences(idle[name], _mutant(name))
            changed += bool(told)
            print(f"| {name} | {told} |", flush=True)
    print(f"\n{changed} of {given.times + given.mutants} runs differ.")


if __name__ == "__main__":
    main()
