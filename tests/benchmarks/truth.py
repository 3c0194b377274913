"""Whether what is measured is true: `python -m tests.benchmarks.truth [--users 50 500] [--seconds 30]`.

Part 1: a server that delays each poll by a known random time; percentiles of poll latency and of the time to first
event as `sendpoll load` measured them, beside what the server injected. Asked for: within 3 % or 2 ms.

Part 2: a server that stalls once for 2 s; the poll percentiles of `sendpoll load` on a fixed grid, from the scheduled
time, beside those of plain Locust (FastHttpUser) doing the same polls.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHARES = (0.5, 0.95, 0.99)
SCENARIO = """
name: truth
messages: [{{text: hello}}]
think_time: {{kind: uniform, min: 0s, max: 1s}}
poll_interval: 500ms
pacing: grid
messages_per_conversation: 10
start_spread: 2s
run_mode: fast
shape: {{kind: steady, users: {users}, duration: {seconds}s}}
"""


@contextmanager
def server(*options: str) -> Iterator[str]:
    """A delaying stub's URL."""
    command = [sys.executable, "-m", "tests.benchmarks.delaying_stub", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def measured(url: str, users: int, seconds: int, folder: Path) -> dict[str, Any]:
    """The result of a load run."""
    scenario = folder / "truth.yaml"
    scenario.write_text(SCENARIO.format(users=users, seconds=seconds), encoding="utf-8")
    command = [sys.executable, "-m", "sendpoll.cli.main", "load", url, "--scenario", str(scenario)]
    quiet = subprocess.DEVNULL
    subprocess.run([*command, "--report-dir", str(folder)], stdout=quiet, stderr=quiet, check=False)
    result: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return result


def truth_of(url: str) -> dict[str, list[float]]:
    """What the server injected."""
    with urllib.request.urlopen(f"{url}/truth") as answer:
        told: dict[str, list[float]] = json.load(answer)
    return told


def quantile(values: Sequence[float], share: float) -> float:
    """The value at a share of all, by rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def compare(users: int, seconds: int) -> None:
    """Part 1 for so many users."""
    with server() as url, tempfile.TemporaryDirectory() as folder:
        result = measured(url, users, seconds, Path(folder))
        truth = truth_of(url)
    print(f"{users} users, verdict {result['verdict']}, load average {os.getloadavg()[0]:.1f}")
    for name, metric, injected in (
        ("poll", "poll_from_send", truth["delays"]),
        ("first event", "ttfe", truth["first_events"]),
    ):
        for share in SHARES:
            ours = result["metrics"][metric]["quantiles"][f"p{share * 100:g}"]["value"]
            true = quantile(injected, share)
            good = abs(ours - true) <= max(0.03 * true, 0.002)
            print(
                f"  {name:12} p{share * 100:<4g} measured {ours * 1e3:8.2f} ms, true {true * 1e3:8.2f} ms, "
                f"off by {(ours - true) * 1e3:+.2f} ms ({ours / true - 1:+.1%})  {'ok' if good else 'TOO FAR'}"
            )


def stalled(users: int, seconds: int) -> None:
    """Part 2."""
    options = ("--stall", "2", "--after", str(seconds / 2 + 5))
    with server(*options) as url, tempfile.TemporaryDirectory() as folder:
        ours = measured(url, users, seconds, Path(folder))["metrics"]
    with server(*options) as url, tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CLIENT": "fast", "INTERVAL": "0.5", "SPREAD": "2"}
        command = [
            sys.executable, "-m", "locust", "-f", str(HERE / "locust_users.py"), "--headless", "--only-summary",
            "--host", url, "-u", str(users), "-r", "100", "-t", f"{seconds}s", "--csv", f"{folder}/plain",
        ]  # fmt: skip
        quiet = subprocess.DEVNULL
        subprocess.run(command, stdout=quiet, stderr=quiet, check=False, env=environment)
        lines = Path(folder, "plain_stats.csv").read_text(encoding="utf-8").splitlines()
    columns = lines[0].split(",")
    row = next(line.split(",") for line in lines if "/tasks/" in line)
    print(f"a stall of 2 s in {seconds} s, {users} users")
    for share in (0.95, 0.97, 0.98, 0.99, 0.999):
        plain = row[columns.index(f"{share * 100:g}%")] if f"{share * 100:g}%" in columns else "-"
        shown = ours["poll"]["quantiles"].get(f"p{share * 100:g}")
        value = f"{shown['value'] * 1e3:.0f}" if shown else "-"
        print(f"  p{share * 100:<5g} sendpoll, from the scheduled time: {value:>6} ms    plain Locust: {plain:>6} ms")


def main() -> None:
    """Both parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, nargs="*", default=[50, 500])
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--stall-seconds", type=int, default=75)
    options = parser.parse_args()
    for users in options.users:
        compare(users, options.seconds)
    stalled(50, options.stall_seconds)


if __name__ == "__main__":
    main()
