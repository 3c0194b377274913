"""What this checkout costs beside another one, as ratios: `python -m tests.benchmarks.two_checkouts FOLDER`.

FOLDER is another checkout of this project, such as `git worktree add FOLDER REVISION` makes. The two take turns against
the same servers, which are this checkout's, so that a busy machine is busy for both, and of each pair the ratio is
taken. `poll` is the CPU time of a request of `sendpoll load`, between two moments of its steady state and by the
server's count, once with news in nearly every poll and once with news in few. `check` is the time and the CPU time of
one `sendpoll check` of the reference server.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sendpoll.reference_server.embedded import spawned
from sendpoll.reference_server.settings import Settings
from tests.benchmarks.cost import Pace, commands, measured

ROOT: Final = Path(__file__).parents[2]
TOKEN: Final = "reference-token"
STREAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "poll with news": ("--chunks", "40", "--first", "0.1", "--interval", "0.1"),
    "poll without": ("--chunks", "2", "--first", "4", "--interval", "4"),
}


@contextmanager
def mounted(checkout: Path) -> Iterator[dict[str, str]]:
    """The environment in which `sendpoll` is that checkout's."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder, "sendpoll")
        package.mkdir()
        for module in checkout.glob("*/__init__.py"):
            package.joinpath(module.parent.name).symlink_to(module.parent.resolve(), target_is_directory=True)
        yield {**os.environ, "PYTHONPATH": folder, "NO_COLOR": "1", "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def counting(stream: Sequence[str]) -> Iterator[str]:
    """The URL of a stub that counts its requests."""
    command = [sys.executable, "-m", "tests.benchmarks.counting_stub", *stream]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().strip()
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def poll_cost(stream: Sequence[str], environment: Mapping[str, str], pace: Pace) -> float:
    """Microseconds of CPU time of a request."""
    with tempfile.TemporaryDirectory() as folder, counting(stream) as url:
        command, _ = commands(pace, url, Path(folder))["sendpoll"]
        return measured(command, environment, pace, url).microseconds


def check_cost(environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds and CPU seconds of a check; it must find nothing."""
    with spawned(Settings(tokens=(TOKEN,), port=0, chunk_interval=0.03)) as url:
        command = [sys.executable, "-m", "sendpoll.cli.main", "check", url, "--token", TOKEN, "--seed", "1"]
        began = time.perf_counter()
        process = subprocess.Popen(command, env={**environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        elapsed = time.perf_counter() - began
    if process.returncode not in {0, 3}:
        raise SystemExit(f"check ended with {process.returncode}")
    return elapsed, used.ru_utime + used.ru_stime


def round_of(what: Sequence[str], environment: Mapping[str, str], pace: Pace) -> dict[str, float]:
    """Every figure of one checkout, once."""
    found = {}
    if "poll" in what:
        found = {name: poll_cost(stream, environment, pace) for name, stream in STREAMS.items()}
    if "check" in what:
        found["check, seconds"], found["check, CPU seconds"] = check_cost(environment)
    return found


def main() -> None:
    """Print a line a figure and round, and the medians of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--only", choices=("poll", "check"), nargs="*", default=("poll", "check"))
    options = parser.parse_args()
    pace = Pace(options.users, options.seconds, 0.25)
    ratios: dict[str, list[float]] = {}
    with mounted(ROOT) as ours, mounted(options.other.resolve()) as theirs:
        for number in range(options.rounds):
            pair = (ours, theirs) if number % 2 else (theirs, ours)
            found = [round_of(options.only, environment, pace) for environment in pair]
            mine, other = found if number % 2 else reversed(found)
            for name, cost in mine.items():
                ratios.setdefault(name, []).append(cost / other[name])
                told = f"{cost:8.2f} here {other[name]:8.2f} there  ratio {cost / other[name]:.3f}"
                print(f"round {number + 1}  {name:20} {told}  load average {os.getloadavg()[0]:.1f}", flush=True)
    print("\nmedian of the ratios, this checkout over the other")
    for name, found_ratios in ratios.items():
        print(f"{name:20} {statistics.median(found_ratios):.3f}  {min(found_ratios):.3f} to {max(found_ratios):.3f}")


if __name__ == "__main__":
    main()
