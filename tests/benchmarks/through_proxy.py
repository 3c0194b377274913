"""What `check` says of servers with the proxy before them and without it, and what the proxy adds to an exchange.

`python -m tests.benchmarks.through_proxy [NAME...]`: mutants and peers, by default a sample drawn by `--seed`.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import random
import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.suite_run import check
from sendpoll.core.target.target import Target, Timeouts
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import right_server, running
from tests.proxy.proxied import proxied

_TIMES = 600


def verdicts(target: Target) -> dict[str, str]:
    """Row to its verdict."""
    report: Any = check(target, RunOptions(seed=1, examples=10), Judgement())
    return {row["id"]: row["verdict"] for row in report["requirements"]}


@contextlib.contextmanager
def served(name: str) -> Iterator[Target]:
    """A mutant, as a target."""
    with running(BY_NAME[name]) as (url, token, second):
        yield Target(base_url=url, token=token, second_token=second, timeouts=Timeouts(task=20, run=150))


def difference(name: str) -> dict[str, tuple[str, str]]:
    """The rows that are told otherwise through the proxy: without it, and with it."""
    with served(name) as target:
        direct = verdicts(target)
    with served(name) as target, proxied(target) as proxy:
        parts = urlsplit(target.base_url)
        through = verdicts(
            Target(
                base_url=f"http://{parts.hostname}:{urlsplit(proxy.url).port}",
                token=target.token,
                second_token=target.second_token,
                timeouts=target.timeouts,
            )
        )
    return {row: (direct[row], through[row]) for row in direct if direct[row] != through[row]}


def median_ms(url: str, token: str, *, kept: bool) -> float:
    """The median of an exchange in milliseconds, over one connection or each over its own."""
    took = []
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for _ in range(_TIMES):
        began = time.perf_counter()
        connection.request("POST", "/api/v1/workspaces", b'{"workspace_id": "w"}', headers)
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
        if not kept:
            connection.close()
    connection.close()
    return 1000 * statistics.median(took)


def cost() -> None:
    """Print what the proxy adds."""
    with right_server() as (url, token, _), proxied(Target(base_url=url, token=token)) as proxy:
        for kept, told in ((True, "over one connection"), (False, "each over its own")):
            direct, through = (median_ms(at, token, kept=kept) for at in (url, proxy.url))
            print(f"median, {told}: {direct:.2f} ms without, {through:.2f} ms with, {through - direct:+.2f} ms")


def main() -> int:
    """Measure, then compare; 1 where a verdict differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--sample", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cost()
    plain = [name for name, mutant in BY_NAME.items() if not mutant.restarts]
    names = options.names or random.Random(options.seed).sample(plain, options.sample)
    differing = 0
    for name in names:
        found = difference(name)
        differing += bool(found)
        told = "; ".join(f"{row} {one} without, {other} with" for row, (one, other) in found.items())
        print(f"{name:44} {told or 'the same'}", flush=True)
    print(f"{len(names) - differing} of {len(names)} told alike")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
