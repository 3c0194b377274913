"""Whether verdicts depend on the machine: what runs beside busy processes say, held against what they must say.

`python -m tests.benchmarks.busy_machine` runs the reference server several times, and all peers and some mutants once,
beside four busy processes a core. A right server must be said to miss what it truly lacks and nothing else, a mutant to
break its row and no MUST beside. The exit code is 1 where a run said something else.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.benchmarks.messages import report_of
from tests.mutants.catalogue import BY_NAME, MUTANTS
from tests.mutants.matrix import outcome_of
from tests.peers.judged import report_on
from tests.peers.serve import PEERS, Peer

_MESSAGES = 16
_HEAD = "| server | runs | seconds | load | said otherwise than it must be |\n|---|---:|---:|---:|---|\n"


@dataclass(frozen=True, slots=True)
class Subject:
    """A server, and what a run on it says that it must not."""

    name: str
    problems: Callable[[], Iterable[str]]
    times: int = 1


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


def _of_the_reference_server() -> Iterator[str]:
    for row in report_of(_MESSAGES)["requirements"]:
        if row["verdict"] not in {"pass", "not_applicable"}:
            yield f"{row['id']} {row['verdict']}"


def _of_a_peer(peer: Peer) -> Iterator[str]:
    report = report_on(peer)
    for row in report["requirements"]:
        if (row["verdict"] != "pass") != (row["id"] in peer.lacks):
            yield f"{row['id']} {row['verdict']}"
    if report["exited"]:
        yield f"exit {report['exited']}"


def _of_a_mutant(name: str) -> Iterator[str]:
    yield from outcome_of(BY_NAME[name]).problems()


def subjects(times: int, peers: Sequence[str], mutants: Iterable[str]) -> Iterator[Subject]:
    """All servers that are run; of the peers those that are named, or all, as far as they can be run here."""
    yield Subject("reference server", _of_the_reference_server, times)
    for peer in PEERS:
        if not peer.missing and (not peers or peer.name in peers):
            yield Subject(peer.name, lambda peer=peer: _of_a_peer(peer))  # type: ignore[misc]  # mypy cannot tell a default of a lambda
    for name in mutants:
        yield Subject(f"mutant {name}", lambda name=name: _of_a_mutant(name))  # type: ignore[misc]  # mypy cannot tell a default of a lambda


def _judged(subject: Subject) -> tuple[bool, str]:
    """Whether all that was said of it is what must be said, and its line of the table."""
    began = time.monotonic()
    told = [problem for _ in range(subject.times) for problem in subject.problems()]
    seconds = (time.monotonic() - began) / subject.times
    cells = (
        subject.name,
        str(subject.times),
        f"{seconds:.0f}",
        f"{os.getloadavg()[0]:.0f}",
        "; ".join(told) or "nothing",
    )
    return not told, f"| {' | '.join(cells)} |\n"


def main() -> int:
    """Run all, and print each line when it is known."""
    options = argparse.ArgumentParser(prog="python -m tests.benchmarks.busy_machine", description=__doc__)
    options.add_argument(
        "--busy", type=int, default=4, help="busy processes a core; 0 where the machine is busy anyway"
    )
    options.add_argument("--times", type=int, default=10, help="runs on the reference server")
    options.add_argument("--peers", nargs="*", default=(), help="their names; all where none is named")
    options.add_argument("--mutants", type=int, default=40, help="how many, drawn at random")
    options.add_argument("--seed", type=int, default=1, help="of the choice of mutants")
    options.add_argument("--beside", type=int, default=2, help="runs at the same time")
    given = options.parse_args()
    drawn = random.Random(given.seed).sample([mutant.name for mutant in MUTANTS], given.mutants)
    print(_HEAD, end="", flush=True)
    wrong = 0
    with busy(given.busy), ThreadPoolExecutor(given.beside) as pool:
        for right, line in pool.map(_judged, subjects(given.times, given.peers, drawn)):
            wrong += not right
            print(line, end="", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
