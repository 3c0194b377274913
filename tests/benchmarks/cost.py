"""What a request costs each generator: `python -m tests.benchmarks.cost [--users 1000] [--seconds 12] [--rounds 3]`.

The same send-and-poll, at the same pace, against the same stub: by `sendpoll load` with everything on (schema
validation, oracle, metrics, Locust's statistics), by k6, and by Locust's FastHttpUser and HttpUser, which validate
nothing. CPU time is that of all processes of a generator between two moments of its steady state, and requests are
counted by the server between the same moments, so starting up costs nobody anything. The generators take turns, and
the median of the rounds counts: on a busy machine the ratios mean more than the microseconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
WARM_UP_S = 8.0
"""Until every generator has started all its users, even on a busy machine."""
SPREAD_S = 2.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What one generator used in one round."""

    microseconds: float
    """CPU time of a request."""
    per_second: float
    memory: float
    """MiB, of all its processes, at the end of the steady state."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What all generators are told to do."""

    users: int
    seconds: float
    interval: float

    @property
    def duration(self) -> int:
        """Whole seconds for which a generator must run so that it can be measured for `seconds`."""
        return int(WARM_UP_S + self.seconds + 3)


def commands(pace: Pace, url: str, folder: Path) -> Mapping[str, tuple[Sequence[str], Mapping[str, str]]]:
    """The generators: what to run, with which environment."""
    scenario = folder / "scenario.yaml"
    scenario.write_text(
        f"""
name: cost
messages: [{{text: hello}}]
think_time: {{kind: fixed, time: 0s}}
poll_interval: {pace.interval * 1000:g}ms
messages_per_conversation: 1000000
start_spread: {SPREAD_S:g}s
run_mode: fast
shape: {{kind: steady, users: {pace.users}, duration: {pace.duration}s}}
""",
        encoding="utf-8",
    )
    shared = {"INTERVAL": str(pace.interval), "SPREAD": str(SPREAD_S)}
    locust = [
        sys.executable, "-m", "locust", "-f", str(HERE / "locust_users.py"), "--headless", "--only-summary",
        "--host", url, "-u", str(pace.users), "-r", "500", "-t", f"{pace.duration}s", "-s", "0",
    ]  # fmt: skip
    k6 = ["k6", "run", "--quiet", "--no-usage-report", str(HERE / "send_and_poll.js")]
    k6_says = {"BASE_URL": url, "USERS": str(pace.users), "DURATION": f"{pace.duration}s"}
    return {
        "sendpoll": ([sys.executable, "-m", "sendpoll.cli.main", "load", url, "--scenario", str(scenario)], {}),
        "k6": (k6, shared | k6_says),
        "FastHttpUser": (locust, shared | {"CLIENT": "fast"}),
        "HttpUser": (locust, shared | {"CLIENT": "requests"}),
    }


def measured(command: Sequence[str], told: Mapping[str, str], pace: Pace, url: str) -> Cost:
    """Run a generator and measure its steady state."""
    environment = {**os.environ, **told, "NO_PROXY": "127.0.0.1"}
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment) as generator:
        process = psutil.Process(generator.pid)
        time.sleep(WARM_UP_S)
        began, used, count = time.perf_counter(), cpu_seconds(process), answered(url)
        time.sleep(pace.seconds)
        memory = sum(one.memory_info().rss for one in [process, *process.children(recursive=True)])
        used, count = cpu_seconds(process) - used, answered(url) - count
        elapsed = time.perf_counter() - began
        generator.terminate()
        generator.wait()
    return Cost(used / count * 1e6, count / elapsed, memory / 2**20)


def cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process and its children so far."""
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children(recursive=True)])


def answered(url: str) -> int:
    """How many requests the stub has answered."""
    with urllib.request.urlopen(f"{url}/requests") as answer:
        return int(answer.read())


def main() -> None:
    """Measure all generators in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--interval", type=float, default=0.25)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="Some of the generators; sendpoll is always measured.")
    options = parser.parse_args()
    pace = Pace(options.users, options.seconds, options.interval)
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.counting_stub"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    costs: dict[str, list[Cost]] = {}
    try:
        url = server.stdout.readline().strip()
        with tempfile.TemporaryDirectory() as folder:
            for number in range(options.rounds):
                for name, (command, told) in commands(pace, url, Path(folder)).items():
                    if options.only is not None and name not in {"sendpoll", *options.only}:
                        continue
                    cost = measured(command, told, pace, url)
                    costs.setdefault(name, []).append(cost)
                    print(
                        f"round {number + 1}  {name:13} {cost.microseconds:6.1f} us/request  {cost.per_second:6.0f}/s"
                        f"  {cost.memory:5.0f} MiB  load average {os.getloadavg()[0]:.1f}",
                        flush=True,
                    )
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
    ours = statistics.median(cost.microseconds for cost in costs["sendpoll"])
    print("\ngenerator      us/request  requests per CPU second, ours over theirs  MiB")
    for name, rounds in costs.items():
        typical = statistics.median(cost.microseconds for cost in rounds)
        memory = statistics.median(cost.memory for cost in rounds)
        print(f"{name:13}  {typical:10.1f}  {typical / ours:41.2f}  {memory:3.0f}")


if __name__ == "__main__":
    main()
