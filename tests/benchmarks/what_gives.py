"""On servers that each give in one way, how often the sentence names that: `python -m tests.benchmarks.what_gives`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from tests.load.observe.runs import GIVES, named, watched

_TIMES: Final = 5


def main() -> None:
    """Print a line a run, and how many of them were right."""
    for kind, wanted in GIVES.items():
        right = 0
        for time in range(_TIMES):
            with tempfile.TemporaryDirectory() as folder:
                observed = watched(kind, Path(folder))
            right += named(observed) == wanted
            print(f"{kind} {time + 1}: {observed['sentence']}", flush=True)
        print(f"{kind}: {right} of {_TIMES} named {wanted or 'nothing'}", flush=True)


if __name__ == "__main__":
    main()
