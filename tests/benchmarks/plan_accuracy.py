"""How close `sendpoll plan` comes to a capacity that is known, how long it takes, and what a plain step load says.

Three servers with slots and known service times: the reference server twice, the stub once. The truth is a simulation
of 60,000 tasks at every number of users around the answer (the one that the tests hold to exact theory). Beside each
plan, the same server is loaded as one would by hand: plain Locust, ten users more each half minute, and the last step
at whose end the chart's p95 was within the limit. A machine with nothing else to do and two free cores are needed:
where the generator is late, a plan says so and has no answer.

    python -m tests.benchmarks.plan_accuracy [--only SERVER] [--method plan|quick|hand] [--keep DIR]
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from sendpoll.load.doctor import stub
from sendpoll.reference_server.embedded import spawned
from sendpoll.reference_server.settings import Settings
from tests.load.plan.virtual import Server, attainment, exponential, fixed, lognormal

TOKEN = "of-this-benchmark-alone"
SHARE = 0.95
TRUTH_TASKS = 60_000


@dataclass(frozen=True)
class Subject:
    """A server of known capacity."""

    kind: str
    slots: int
    service: str
    mean_s: float
    think_s: float
    limit_s: float

    @property
    def twin(self) -> Server:
        """The same in virtual time."""
        draws = {
            "fixed": fixed(self.mean_s),
            "exponential": exponential(self.mean_s),
            "lognormal": lognormal(self.mean_s, 1.0),
        }
        return Server(self.slots, draws[self.service], exponential(self.think_s))

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """The real one."""
        if self.kind == "stub":
            options = ("--slots", str(self.slots), "--service", self.service, "--mean", str(self.mean_s))
            with stub(*options, "--chunks", "4", module="tests.load.queue_stub") as url:
                yield url
            return
        settings = Settings(
            tokens=(TOKEN,),
            port=0,
            slots=self.slots,
            chunks=4,
            chunk_interval=self.mean_s / 4,
            service_time=self.service,
        )
        with spawned(settings) as url:
            yield url


SUBJECTS = {
    "reference-fixed": Subject("reference", 12, "fixed", 2.0, 4.0, 4.25),
    "reference-exponential": Subject("reference", 12, "exponential", 1.0, 3.0, 4.75),
    "stub-lognormal": Subject("stub", 10, "lognormal", 1.0, 3.0, 4.25),
}


def truth(subject: Subject) -> float:
    """The users at which the share within the limit goes through 95 %, by straight line between two whole numbers."""
    low, high = 1, 512
    while high - low > 1:
        middle = (low + high) // 2
        if attainment(subject.twin, middle, subject.limit_s, TRUTH_TASKS) >= SHARE:
            low = middle
        else:
            high = middle
    above, below = (attainment(subject.twin, users, subject.limit_s, TRUTH_TASKS) for users in (low, high))
    return low + (above - SHARE) / (above - below)


def scenario(subject: Subject, folder: Path) -> Path:
    described = {
        "name": "benchmark",
        "messages": [{"text": "Say hello."}],
        "think_time": {"kind": "exponential", "mean": f"{subject.think_s}s"},
        "task_deadline": "60s",
        "shape": {"kind": "steady", "users": 1, "duration": "60s"},
        "slos": [f"task p95 <= {subject.limit_s}s"],
    }
    path = folder / "scenario.yaml"
    path.write_text(yaml.safe_dump(described), encoding="utf-8")
    return path


@dataclass(frozen=True)
class Found:
    """What a method says a server holds, and what it took."""

    users: float
    low: float | None
    high: float | None
    end: str
    seconds: float


def plan(subject: Subject, _: float, folder: Path, *options: str) -> Found:
    """`sendpoll plan`, as a user calls it; its reports stay in the folder."""
    with subject.served() as url:
        command = [sys.executable, "-m", "sendpoll.cli.main", "plan", url, "--token", TOKEN]
        command += ["--scenario", str(scenario(subject, folder)), "--report-dir", str(folder), *options]
        began = time.monotonic()
        with (folder / "terminal.txt").open("w", encoding="utf-8") as terminal:
            subprocess.run(command, check=False, stdout=terminal, stderr=subprocess.STDOUT)
        seconds = time.monotonic() - began
    result = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    answer = result["answer"]
    return Found(answer["level"] or 0.0, answer["low"], answer["high"], result["end"], seconds)


def quick(subject: Subject, _: float, folder: Path) -> Found:
    """`sendpoll plan --quick`."""
    return plan(subject, 0.0, folder, "--quick")


def by_hand(subject: Subject, known: float, folder: Path) -> Found:
    """The last step of a plain Locust step load at whose end the chart's p95 of tasks was within the limit."""
    step_users, step_s = 10, 30
    steps = int(known / step_users) + 3
    environment = os.environ | {
        "TOKEN": TOKEN,
        "THINK_S": str(subject.think_s),
        "STEP_USERS": str(step_users),
        "STEP_S": str(step_s),
        "STEPS": str(steps),
    }
    locustfile = Path(__file__).with_name("plan_locustfile.py")
    began = time.monotonic()
    with subject.served() as url:
        command = [sys.executable, "-m", "locust", "-f", str(locustfile), "--headless", "--host", url]
        command += ["--csv", str(folder / "hand"), "--csv-full-history", "--loglevel", "ERROR"]
        subprocess.run(command, env=environment, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    seconds = time.monotonic() - began
    with (folder / "hand_stats_history.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["Name"] == "task" and row["95%"] not in {"N/A", "0"}]
    best = 0
    for step in range(1, steps + 1):
        held = [float(row["95%"]) for row in rows if int(row["User Count"]) == step * step_users]
        if held and held[-1] <= subject.limit_s * 1000:
            best = step * step_users
    return Found(best, None, None, "read off the chart", seconds)


METHODS = {"plan": plan, "quick": quick, "hand": by_hand}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="this server; repeatable")
    parser.add_argument("--method", choices=METHODS, action="append", help="in this way; repeatable")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep what each method wrote there")
    options = parser.parse_args()
    print("| server | truth | method | answer | interval | error | covers | s | end |", flush=True)
    print("|---|--:|---|--:|---|--:|---|--:|---|", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        for name in options.only or SUBJECTS:
            known = truth(SUBJECTS[name])
            for method in options.method or METHODS:
                folder = (options.keep or Path(scratch)) / f"{name}-{method}"
                folder.mkdir(parents=True, exist_ok=True)
                print(row(name, known, method, METHODS[method](SUBJECTS[name], known, folder)), flush=True)


def row(name: str, known: float, method: str, found: Found) -> str:
    interval, covers = "-", "-"
    if found.low is not None:
        covers = str(found.low <= known <= (math.inf if found.high is None else found.high)).lower()
        interval = f"{found.low:.1f} to {'-' if found.high is None else f'{found.high:.1f}'}"
    error = f"{found.users / known - 1:+.1%}"
    told = f"{found.users:.1f} | {interval} | {error} | {covers} | {found.seconds:.0f} | {found.end}"
    return f"| {name} | {known:.1f} | {method} | {told} |"


if __name__ == "__main__":
    main()
