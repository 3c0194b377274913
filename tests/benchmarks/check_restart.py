"""How often `check --restart` finds the reference server on SQLite, killed without warning, to keep what it served.

Each time a new run, another seed, one server that all runs find as the last one left it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from sendpoll.schemas.catalogue import load_catalogue
from tests.killable import TOKEN, Killable, killable

_ROWS = tuple(row.id for row in load_catalogue().checked if row.asked_by == "--restart")
_PACE = ("--chunks", "20", "--chunk-interval", "0.02")


def main() -> int:
    """Run, print what was not passed, and how many runs passed every row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=100)
    options = parser.parse_args()
    counted: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, killable(Path(folder), *_PACE) as server:
        for seed in range(1, options.times + 1):
            report = checked(server, seed, Path(folder, "report"))
            open_rows = [row for row in report.get("requirements", []) if row["verdict"] != "pass"]
            counted["all"] += bool(report) and not open_rows
            for row in open_rows:
                said = [violation["sentence"] for violation in row["violations"]] or [row["reason"]]
                print(f"seed {seed}: {row['id']} {row['verdict']}: {said[0]}", flush=True)
    print(f"{counted['all']} of {options.times} runs passed all {len(_ROWS)} rows")
    return 0 if counted["all"] == options.times else 1


def checked(server: Killable, seed: int, folder: Path) -> Any:
    """The report of one run; empty where there is none."""
    path = folder / "report.json"
    path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "sendpoll.cli.main", "check", server.url, "--token", TOKEN, "--seed", str(seed)]
    command += [word for row in _ROWS for word in ("--only", row)]
    command += ["--restart", server.command, "--report-dir", str(folder)]
    subprocess.run(command, capture_output=True, timeout=300, check=False)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


if __name__ == "__main__":
    sys.exit(main())
