"""What finished tasks cost in memory: 10,000 of them may add less than 50 MB to the server's resident set.

Every task is sent, polled to its end and read once more from the start, as clients do; a first thousand warms the
process up before the count begins.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from sendpoll.reference_server.embedded import start_child, stop_child
from sendpoll.reference_server.settings import Settings

TOKEN = "memory"
MOST_MEGABYTES = 50
WARM_UP = 1000
CLIENTS = 8


@dataclass(frozen=True)
class Resident:
    """The server's resident set in megabytes."""

    idle: float
    warm: float
    """After the first tasks."""
    after: float

    @property
    def added(self) -> float:
        return self.after - self.warm


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--chunks", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        resident = measure(Path(folder) / "memory.sqlite3", options.tasks, options.chunks)
    print(
        f"{resident.idle:.1f} MB idle, {resident.warm:.1f} MB after {WARM_UP} tasks, {resident.after:.1f} MB at the end"
    )
    print(f"{options.tasks} finished tasks of {options.chunks} chunks added {resident.added:.1f} MB", end=" ")
    print(f"(less than {MOST_MEGABYTES})")
    return 0 if resident.added < MOST_MEGABYTES else 1


def measure(database: Path, tasks: int, chunks: int) -> Resident:
    """Have the server work through that many tasks, and look at its memory."""
    settings = Settings(tokens=(TOKEN,), port=0, database=str(database), slots=CLIENTS, chunks=chunks, chunk_interval=0)
    child, url = start_child(settings)
    try:
        process = psutil.Process(child.pid)
        sizes = [process.memory_info().rss]
        for some in (WARM_UP, tasks):
            finish_tasks(url, some)
            sizes.append(process.memory_info().rss)
        return Resident(*(size / 1e6 for size in sizes))
    finally:
        stop_child(child)


def finish_tasks(url: str, tasks: int) -> None:
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(lambda count: finish_some(url, count), [tasks // CLIENTS] * CLIENTS))


def finish_some(url: str, tasks: int) -> None:
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60) as api:
        api.post("/api/v1/workspaces", json={"workspace_id": "w"}).raise_for_status()
        for _ in range(tasks):
            conversation = api.post("/api/v1/workspaces/w/conversations").json()["conversation_id"]
            body = {"conversation_id": conversation, "message": "你好"}
            task = api.post("/api/v1/workspaces/w/messages", json=body).json()["task_id"]
            read_to_end(api, task)


def read_to_end(api: httpx.Client, task: str) -> None:
    offset, status = 0, "running"
    while status == "running":
        news = api.get(f"/api/v1/tasks/{task}", params={"from": offset}).json()["data"]
        offset, status = news["next_offset"], news["status"]
    api.get(f"/api/v1/tasks/{task}").raise_for_status()


if __name__ == "__main__":
    sys.exit(main())
