"""Kill the server without warning, start it again, and see that nothing that was served is lost or changed.

Each round: send messages, poll a little, `kill -9` at a random moment, start on the same file, poll on. A fault is a
served event that is missing or different, a refused offset that had been given out, an id that is no longer known, or
a task that does not end.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sendpoll.reference_server.embedded import start_child, stop_child
from sendpoll.reference_server.settings import Settings

TOKEN = "kill-restart"
CONVERSATIONS = 3
MESSAGES = 2
"""For each conversation and round, so that one task runs and one waits behind it."""


@dataclass
class Seen:
    """What was served of one task before the kill."""

    conversation: str
    events: list[Any] = field(default_factory=list)
    offset: int = 0
    status: str = "running"


@dataclass
class Tally:
    rounds: int = 0
    tasks: int = 0
    events_before: int = 0
    cut_tasks: int = 0
    faults: list[str] = field(default_factory=list)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = kill_and_restart(Path(folder) / "kill.sqlite3", options.times, options.seed)
    print(
        f"{tally.rounds} kills, {tally.tasks} tasks, {tally.events_before} events served before a kill,"
        f" {tally.cut_tasks} tasks cut short, {len(tally.faults)} faults"
    )
    for fault in tally.faults:
        print(f"  {fault}")
    return 1 if tally.faults else 0


def kill_and_restart(database: Path, times: int, seed: int) -> Tally:
    """Run the rounds on one file, which every round finds as the last one left it."""
    source = random.Random(seed)
    tally = Tally()
    settings = Settings(tokens=(TOKEN,), port=0, database=str(database), slots=4, chunks=300, chunk_interval=0.001)
    for _ in range(times):
        child, url = start_child(settings)
        try:
            with client(url) as api:
                tasks = send_messages(api)
                poll_for(api, tasks, source.uniform(0.0, 0.8))
        finally:
            child.kill()
            child.wait()
            stop_child(child)
        tally.events_before += sum(len(seen.events) for seen in tasks.values())
        child, url = start_child(settings)
        try:
            with client(url) as api:
                for task, seen in tasks.items():
                    tally.faults.extend(f"round {tally.rounds}, {task}: {fault}" for fault in faults(api, task, seen))
                    tally.cut_tasks += seen.status == "failed"
        finally:
            stop_child(child)
        tally.tasks += len(tasks)
        tally.rounds += 1
    return tally


def send_messages(api: httpx.Client) -> dict[str, Seen]:
    api.post("/api/v1/workspaces", json={"workspace_id": "w"}).raise_for_status()
    tasks: dict[str, Seen] = {}
    for _ in range(CONVERSATIONS):
        conversation = api.post("/api/v1/workspaces/w/conversations").json()["conversation_id"]
        for _ in range(MESSAGES):
            tasks[send(api, conversation)] = Seen(conversation)
    return tasks


def send(api: httpx.Client, conversation: str) -> str:
    body = {"conversation_id": conversation, "message": "你好 👋"}
    task: str = api.post("/api/v1/workspaces/w/messages", json=body).raise_for_status().json()["task_id"]
    return task


def poll_for(api: httpx.Client, tasks: dict[str, Seen], seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for task, seen in tasks.items():
            poll(api, task, seen)


def poll(api: httpx.Client, task: str, seen: Seen) -> None:
    news = api.get(f"/api/v1/tasks/{task}", params={"from": seen.offset}).raise_for_status().json()["data"]
    seen.events += news["events"]
    seen.offset, seen.status = news["next_offset"], news["status"]


def faults(api: httpx.Client, task: str, seen: Seen) -> list[str]:
    """What the restarted server does wrong with a task that was seen before."""
    served, ended = list(seen.events), seen.status
    found = []
    try:
        for _ in range(600):
            poll(api, task, seen)
            if seen.status != "running":
                break
            time.sleep(0.05)
        whole = Seen(seen.conversation)
        poll(api, task, whole)
        send(api, seen.conversation)
    except httpx.HTTPStatusError as refusal:
        return [f"refused: {refusal.response.status_code} {refusal.response.text}"]
    if seen.status == "running":
        found.append("does not end")
    if ended not in ("running", seen.status):
        found.append(f"was {ended}, is {seen.status}")
    if whole.events[: len(served)] != served:
        found.append("what was served is lost or changed")
    if whole.events != seen.events:
        found.append("polled on from the offset, it is not the whole")
    if seen.status == "failed" and whole.events[-1]["type"] != "error":
        found.append("failed without saying why")
    return found


def client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30)


if __name__ == "__main__":
    sys.exit(main())
