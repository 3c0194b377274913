"""What this checkout costs beside another one, as ratios: `python -m tests.benchmarks.two_checkouts FOLDER`.

FOLDER is another checkout of this project, such as `git worktree add FOLDER REVISION` makes. The two run at the same
time, each against a server of this checkout, so that a busy machine is as busy for both, and of each pair the ratio is
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
from concurrent.futures import ThreadPoolExecutor
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


def round_of(what: Sequence[str], both: Sequence[Mapping[str, str]], pace: Pace) -> Iterator[tuple[str, float, float]]:
    """Every figure of the two checkouts, once: they run at the same time, each against a server of its own."""
    with ThreadPoolExecutor(2) as pool:
        if "poll" in what:
            for name, stream in STREAMS.items():
                mine, other = pool.map(lambda environment, stream=stream: poll_cost(stream, environment, pace), both)
                yield name, mine, other
        if "check" in what:
            mine_pair, other_pair = pool.map(check_cost, both)
            yield from zip(("check, seconds", "check, CPU seconds"), mine_pair, other_pair, strict=True)


def main() -> None:
    """Print a line a figure and round, and the medians of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--only", choices=("poll", "check"), nargs="*", default=("poll", "check"))
    options = parser.parse_args()
    pace = Pace(options.users, options.seconds, 0.25)
    ratios: dict[str, list[float]] = {}
    with mounted(ROOT) as ours, mounted(options.other.resolve()) as theirs:
        for number in range(options.rounds):
            for name, mine, other in round_of(options.only, (ours, theirs), pace):
                ratios.setdefault(name, []).append(mine / other)
                told = f"{mine:8.2f} here {other:8.2f} there  ratio {mine / other:.3f}"
                print(f"round {number + 1}  {name:20} {told}  load average {os.getloadavg()[0]:.1f}", flush=True)
    print("\nmedian of the ratios, this checkout over the other")
    for name, found in ratios.items():
        print(f"{name:20} {statistics.median(found):.3f}  {min(found):.3f} to {max(found):.3f}")


if __name__ == "__main__":
    main()
