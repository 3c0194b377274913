"""What a poll costs: against a bare Starlette route that answers the same bytes, and at the end of a very long log.

Server and wrk get one core each. The contenders are measured in turn, several rounds, so that whatever else the machine
does falls on all of them alike; the medians are compared. Needs wrk and two cores, on a machine that does nothing else:
throughput says little where others take the cores away, CPU time says more.

Targets: at least 0.6 of the bare route's throughput; at the end of a task with 1,000,000 events at most 1.3 times the
cost of one with 100.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sendpoll.reference_server.embedded import spawned, start_child, stop_child
from sendpoll.reference_server.settings import Settings

SERVER_CORE, WRK_CORE = 0, 1
TOKEN = "benchmark"
BARE = "bare route"
LEAST_SHARE = 0.6
MOST_RATIO = 1.3
BEHIND = 8
"""Events before the end at which the long and the short log are polled."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=1_000_000, help="of the long task")
    parser.add_argument("--bare", metavar="FILE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        return serve_bare(Path(options.bare).read_bytes())
    os.sched_setaffinity(0, {SERVER_CORE})
    with tempfile.TemporaryDirectory() as folder:
        return compare(Path(folder), options.seconds, options.rounds, options.events)


@dataclass(frozen=True)
class Contender:
    """A URL to ask for, and the process that answers it."""

    name: str
    url: str
    server: psutil.Process


@dataclass(frozen=True)
class Measured:
    rate: float
    """Answers a second."""
    cost: float
    """Microseconds of the server's CPU an answer, which other work on the machine hardly changes."""


def compare(folder: Path, seconds: int, rounds: int, events: int) -> int:
    database = str(folder / "bench.sqlite3")
    short = finished_task(database, chunks=96)
    long = finished_task(database, chunks=events)
    child, url = start_child(Settings(tokens=(TOKEN,), port=0, database=database))
    try:
        with client(url) as api:
            ends = {task: end_of(api, task) for task in (short, long)}
            print(f"short task: {ends[short]} events, long task: {ends[long]} events")
            body = api.get(f"/api/v1/tasks/{short}", params={"from": ends[short] - BEHIND}).content
        print(f"answer with news: {len(body)} bytes, {BEHIND} events")
        with bare_server(folder, body) as (bare_url, bare):
            contenders = [Contender(BARE, f"{bare_url}/api/v1/tasks/{short}?from={ends[short] - BEHIND}", bare)]
            for log, task in (("short", short), ("long", long)):
                for news, behind in (("news", BEHIND), ("nothing new", 0)):
                    target = f"{url}/api/v1/tasks/{task}?from={ends[task] - behind}"
                    contenders.append(Contender(f"{log} log, {news}", target, psutil.Process(child.pid)))
            measured: dict[str, list[Measured]] = {contender.name: [] for contender in contenders}
            for _ in range(rounds):
                for contender in contenders:
                    measured[contender.name].append(measure(contender, seconds))
        return report(measured)
    finally:
        stop_child(child)


def report(measured: dict[str, list[Measured]]) -> int:
    rate = {name: statistics.median(one.rate for one in values) for name, values in measured.items()}
    cost = {name: statistics.median(one.cost for one in values) for name, values in measured.items()}
    for name, values in measured.items():
        lowest, highest = min(one.rate for one in values), max(one.rate for one in values)
        print(f"{name:24} {rate[name]:7.0f}/s ({lowest:.0f} to {highest:.0f}), {cost[name]:5.1f} us of CPU an answer")
    share = rate["short log, news"] / rate[BARE]
    print(f"throughput as a share of the bare route: {share:.2f} (at least {LEAST_SHARE})", end="")
    print(f"; by CPU time: {cost[BARE] / cost['short log, news']:.2f}")
    ratios = {news: cost[f"long log, {news}"] / cost[f"short log, {news}"] for news in ("news", "nothing new")}
    for news, ratio in ratios.items():
        print(f"CPU time at the end of the long log against the short one, {news}: {ratio:.2f} (at most {MOST_RATIO})")
    return 0 if share >= LEAST_SHARE and all(ratio <= MOST_RATIO for ratio in ratios.values()) else 1


def finished_task(database: str, chunks: int) -> str:
    """Make a task of that many chunks with no pause between, wait for its end, and return its id."""
    settings = Settings(tokens=(TOKEN,), port=0, database=database, chunks=chunks, chunk_interval=0)
    with spawned(settings) as url, client(url) as api:
        api.post("/api/v1/workspaces", json={"workspace_id": "w"}).raise_for_status()
        conversation = api.post("/api/v1/workspaces/w/conversations").json()["conversation_id"]
        sent = api.post("/api/v1/workspaces/w/messages", json={"conversation_id": conversation, "message": "你好"})
        task: str = sent.json()["task_id"]
        end_of(api, task)
        return task


def end_of(api: httpx.Client, task: str) -> int:
    """Poll to the end; return the last offset."""
    offset, status = 0, "running"
    while status == "running":
        news = api.get(f"/api/v1/tasks/{task}", params={"from": offset}).json()["data"]
        offset, status = news["next_offset"], news["status"]
    return offset


def client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=120)


def measure(contender: Contender, seconds: int) -> Measured:
    before = contender.server.cpu_times()
    command = ["taskset", "-c", str(WRK_CORE), "wrk", "-t1", "-c16", f"-d{seconds}s"]
    header = f"Authorization: Bearer {TOKEN}"
    done = subprocess.run([*command, "-H", header, contender.url], capture_output=True, text=True, check=True)
    after = contender.server.cpu_times()
    found = re.search(r"(\d+) requests in ([\d.]+)(m?s)", done.stdout)
    if found is None or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"{contender.url}: not all answers were good\n{done.stdout}")
    answers = int(found[1])
    used = after.user + after.system - before.user - before.system
    return Measured(answers / seconds, used / answers * 1e6)


@contextlib.contextmanager
def bare_server(folder: Path, body: bytes) -> Iterator[tuple[str, psutil.Process]]:
    """A process of its own that answers every poll with these bytes."""
    file = folder / "body"
    file.write_bytes(body)
    command = [sys.executable, __file__, "--bare", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        try:
            yield (child.stdout.readline() if child.stdout else "").strip(), psutil.Process(child.pid)
        finally:
            child.terminate()


def serve_bare(body: bytes) -> int:
    async def answer(_request: Request) -> Response:
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/api/v1/tasks/{task_id}", answer)])
    config = uvicorn.Config(app, http="httptools", loop="uvloop", log_config=None, access_log=False)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(config).run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
