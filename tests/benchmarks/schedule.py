"""Whether one process keeps the schedule of many users: `python -m tests.benchmarks.schedule [--users 2000]`.

The users poll each 0.5 s from one process that is held on one core. Printed are the slip of the polls that is the
generator's own fault, its lag, its CPU, and whether the ledger balances. Asked for: slip p99 under 25 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SCENARIO = """
name: schedule
messages: [{{text: hello}}]
think_time: {{kind: exponential, mean: 1s}}
poll_interval: 500ms
pacing: {pacing}
messages_per_conversation: 10
start_spread: 5s
run_mode: fast
shape: {{kind: ramp, users: {users}, ramp: 10s, duration: {seconds}s}}
"""


def main() -> None:
    """Run once and print the line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--pacing", choices=["loop", "grid"], default="grid")
    options = parser.parse_args()
    stub = [sys.executable, "-m", "sendpoll.load.stub.stub", "--chunks", "16", "--first", "0.5", "--interval", "0.5"]
    with subprocess.Popen(stub, stdout=subprocess.PIPE, text=True) as server, tempfile.TemporaryDirectory() as folder:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        scenario = Path(folder, "schedule.yaml")
        scenario.write_text(SCENARIO.format(**vars(options)), encoding="utf-8")
        command = [sys.executable, "-m", "sendpoll.cli.main", "load", url, "--scenario", str(scenario)]
        core = max(os.sched_getaffinity(0))
        subprocess.run(
            [*command, "--report-dir", folder],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
        server.kill()
        result = json.loads(Path(folder, "result.json").read_text(encoding="utf-8"))
    generator, ledger = result["generator"], result["ledger"]
    slip = result["metrics"]["slip"]["quantiles"]["p99"]["value"] * 1e3
    print(
        f"{options.users} users, {result['polls']['count'] / result['seconds']:.0f} polls/s: slip p99 {slip:.1f} ms, "
        f"lag p99 {generator['lag_p99_s'] * 1e3:.1f} ms, CPU {generator['cpu']:.0%} of a core, "
        f"{ledger['started']} tasks started, ledger {'balances' if ledger['balances'] else 'DOES NOT balance'}, "
        f"verdict {result['verdict']}, load average {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
