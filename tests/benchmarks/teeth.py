"""Which faulty servers `sendpoll load` calls, by requirement: `python -m tests.benchmarks.teeth [NAME ...]`.

Each mutant of the conformance suite (the conditional ones, where none is named) is put under the load of 50 users for
15 s. The table says what the load run found, and whether the requirement that the mutant breaks is among it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.mutants.catalogue import BY_NAME, MUTANTS
from tests.mutants.serve import TOKEN

SCENARIO = Path(__file__).with_name("teeth.yaml")


def called(name: str) -> tuple[dict[str, int], int, float]:
    """What a load run finds in a mutant: violations by requirement, the exit code, seconds."""
    server = subprocess.Popen([sys.executable, "-m", "tests.mutants", name], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        url = server.stdout.readline().split(" ")[0]
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            command = [sys.executable, "-m", "sendpoll.cli.main", "load", url, "--scenario", str(SCENARIO)]
            ended = subprocess.run(
                [*command, "--token", TOKEN, "--report-dir", folder], capture_output=True, text=True, check=False
            )
            result = json.loads((Path(folder) / "result.json").read_text())
        found = {row["requirement"]: row["count"] for row in result["violations"]}
        return found, ended.returncode, time.perf_counter() - began
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def main() -> None:
    """Print a line for each mutant and a count at the end."""
    names = sys.argv[1:] or [mutant.name for mutant in MUTANTS if mutant.conditional]
    hits = 0
    for name in names:
        mutant = BY_NAME[name]
        found, code, seconds = called(name)
        hits += mutant.requirement in found
        word = "called" if mutant.requirement in found else "missed"
        print(f"{word}  {name:44} {mutant.requirement:8} {found}  exit {code}, {seconds:.0f} s", flush=True)
    print(f"{hits} of {len(names)} called by their requirement")


if __name__ == "__main__":
    main()
