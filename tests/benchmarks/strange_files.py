"""Changed files of every kind that is read, through their loaders: a right result or a refusal, never anything else.

    python -m tests.benchmarks.strange_files --count 100000

Prints, of each kind, how many were right and how many refused, the longest time of one and the memory of the process.
Ends with 1 where a loader did anything else, with the seed of the file that made it.
"""

from __future__ import annotations

import argparse
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from tests.hostile.files import Kind, kinds, mutated, outcome
from tests.load.made_up import Run, metrics_of, result_of


def _one(kind: Kind, seed: int, path: Path) -> tuple[str, float]:
    path.write_bytes(mutated(kind.text, random.Random(f"{kind.name}:{seed}")))
    began = time.perf_counter()
    try:
        what = outcome(kind, path)
    except Exception:  # noqa: BLE001 - this is what is looked for
        sys.stderr.write(f"{kind.name}, seed {seed}:\n{traceback.format_exc(limit=-6)}\n")
        what = "broken"
    return what, time.perf_counter() - began


def main() -> int:
    """Read so many files, as many of each kind; the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--count", type=int, default=100_000, help="of all kinds together")
    options.add_argument("--first", type=int, default=0, help="the first seed")
    given = options.parse_args()
    broken = 0
    every = kinds(result_of(metrics_of(Run())))
    with tempfile.TemporaryDirectory() as folder:
        for kind in every:
            counts: Counter[str] = Counter()
            longest = 0.0
            for seed in range(given.first, given.first + given.count // len(every)):
                what, seconds = _one(kind, seed, Path(folder, kind.name))
                counts[what] += 1
                longest = max(longest, seconds)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            told = ", ".join(f"{counts[what]:,} {what}" for what in ("right", "refused", "broken"))
            sys.stdout.write(f"{kind.name}: {told}; longest {longest * 1000:.0f} ms; process {memory:.0f} MB\n")
            sys.stdout.flush()
            broken += sum(counts.values()) - counts["right"] - counts["refused"]
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
