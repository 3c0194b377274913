"""Whether every task is counted wherever the users run: `python -m tests.benchmarks.distribution` (as root).

The same scenario in one process, with two worker processes, and with a master and two workers that are separate hosts
as far as the network goes: each in a network namespace of its own, on a bridge with the server. The server counts the
messages that it took; the ledger must say the same.
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

BRIDGE = "sp-bench"
SERVER = "10.213.7.1"
HOSTS = {f"sp-bench-{number}": f"10.213.7.{10 + number}" for number in (1, 2, 3)}


def ip(*arguments: str) -> None:
    """Run `ip`."""
    subprocess.run(["ip", *arguments], check=True)


@contextmanager
def hosts() -> Iterator[None]:
    """A bridge with the server's address, and three namespaces on it."""
    ip("link", "add", BRIDGE, "type", "bridge")
    try:
        ip("addr", "add", f"{SERVER}/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        for number, (name, address) in enumerate(HOSTS.items()):
            ip("netns", "add", name)
            ip("link", "add", f"spb{number}", "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("link", "set", f"spb{number}", "master", BRIDGE, "up")
            ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", name, "link", "set", "lo", "up")
        yield
    finally:
        for name in HOSTS:
            subprocess.run(["ip", "netns", "del", name], check=False)
        subprocess.run(["ip", "link", "del", BRIDGE], check=False)


def messages(url: str) -> int:
    """How many messages the server has taken."""
    with urllib.request.urlopen(f"{url}/messages") as answer:
        return int(answer.read())


def load(*arguments: str, host: str = "") -> list[str]:
    """The command of a load run, perhaps on one of the hosts."""
    where = ["ip", "netns", "exec", host] if host else []
    return [*where, sys.executable, "-m", "sendpoll.cli.main", "load", *arguments]


def run(name: str, url: str, command: Sequence[str], workers: Sequence[Sequence[str]] = ()) -> None:
    """Run once and print what the ledger and the server say."""
    environment = {
        **os.environ,
        "SENDPOLL_TOKEN": "token",
        "SENDPOLL_CLUSTER_SECRET": "shared-by-all-of-them",
        "no_proxy": "*",
    }
    quiet = subprocess.DEVNULL
    before = messages(url)
    with tempfile.TemporaryDirectory() as folder:
        others = [subprocess.Popen(worker, stdout=quiet, stderr=quiet, env=environment) for worker in workers]
        subprocess.run([*command, "--report-dir", folder], stdout=quiet, stderr=quiet, env=environment, check=False)
        codes = [other.wait(timeout=60) for other in others]
        result = json.loads(Path(folder, "result.json").read_text(encoding="utf-8"))
        logged = len(Path(folder, "tasks.jsonl").read_text(encoding="utf-8").splitlines())
    ledger, taken = result["ledger"], messages(url) - before
    word = "same" if ledger["balances"] and ledger["started"] == logged == taken else "DIFFERENT"
    print(
        f"{name:28} server took {taken} messages, ledger {ledger['started']} started and {ledger['good']} good, "
        f"{logged} in the log: {word}; verdict {result['verdict']}, workers ended with {codes}",
        flush=True,
    )


def main() -> None:
    """Three runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", default="40")
    parser.add_argument("--duration", default="15s")
    options = parser.parse_args()
    with hosts():
        stub = [sys.executable, "-m", "tests.benchmarks.counting_stub", "--host", SERVER]
        with subprocess.Popen(stub, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            asked = (url, "--users", options.users, "--duration", options.duration, "--scenario", "smoke")
            master, *workers = HOSTS
            run("one process", url, load(*asked))
            run("two worker processes", url, load(*asked, "--processes", "2"))
            run(
                "master and workers apart",
                url,
                load(*asked, "--master", "--master-bind", "*", "--expect-workers", "2", host=master),
                [load("--worker", "--master-host", HOSTS[master], host=worker) for worker in workers],
            )
            server.kill()


if __name__ == "__main__":
    main()
