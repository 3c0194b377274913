"""The Python client: requests, a connection a call, 30 s of patience, a look at every status but the conversation's."""

from __future__ import annotations

import os
import time
from typing import Any

import requests

BASE = os.environ.get("SENDPOLL_URL", "http://localhost:8091")
WORKSPACE = os.environ.get("SENDPOLL_WORKSPACE", "ws1")
MESSAGE = os.environ.get("SENDPOLL_MESSAGE", "介绍明日方舟:终末地")
BEARER = {"Authorization": f"Bearer {os.environ.get('SENDPOLL_TOKEN', '<TOKEN>')}"}
# 30 as published. The matrix shortens it, so that a server which is silent for too long can be shown in seconds.
PATIENCE = float(os.environ.get("SENDPOLL_CLIENT_TIMEOUT", "30"))


def post(path: str, document: dict[str, Any]) -> Any:
    headers = BEARER | {"Content-Type": "application/json"}
    answer = requests.post(BASE + path, headers=headers, json=document, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()


def open_conversation() -> Any:
    path = f"/api/v1/workspaces/{WORKSPACE}/conversations"
    # No body, no Content-Type and no look at the status: as published.
    return requests.post(BASE + path, headers=BEARER, timeout=PATIENCE).json()["conversation_id"]


def news(task: Any, offset: Any) -> Any:
    answer = requests.get(f"{BASE}/api/v1/tasks/{task}?from={offset}", headers=BEARER, timeout=PATIENCE)
    answer.raise_for_status()
    return answer.json()["data"]


def main() -> None:
    post("/api/v1/workspaces", {"workspace_id": WORKSPACE})
    message = {
        "conversation_id": open_conversation(),
        "message": MESSAGE,
        "run_mode": "fast",
        "max_iterations": 100,
    }
    task = post(f"/api/v1/workspaces/{WORKSPACE}/messages", message)["task_id"]
    offset: Any = 0
    while True:
        poll = news(task, offset)
        offset = poll["next_offset"]
        for event in poll["events"]:
            if event["type"] == "text_chunk":
                print(event["data"]["content"], end="", flush=True)
        if poll["status"] != "running":
            print()
            print("status:", poll["status"])
            return
        time.sleep(0.5)


if __name__ == "__main__":
    main()
