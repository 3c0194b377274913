"""A client of a send-and-poll server: sends a message and prints the answer as it comes. Needs httpx.

The answer goes to standard output, everything else to standard error. The exit code is 0 if the answer is whole.
"""

import os
import sys
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

URL = os.environ.get("SENDPOLL_URL", "http://localhost:8091")
TOKEN = os.environ.get("SENDPOLL_TOKEN", "<TOKEN>")
WORKSPACE = os.environ.get("SENDPOLL_WORKSPACE", "ws1")
CONVERSATION = os.environ.get("SENDPOLL_CONVERSATION")
MESSAGE = os.environ.get("SENDPOLL_MESSAGE", "Hello")

PAUSE = 0.5  # seconds between two polls
PATIENCE = 10  # seconds in which an answer has to come whole
TRIES = 6  # of one poll; they take half a minute
PASSING = {429, 502, 503, 504}  # what a poll may be told while its task runs on


class ClientError(Exception):
    """What the user has to be told."""


def ask(client: httpx.Client, step: str, method: str, path: str, body: Any = None) -> httpx.Response:
    """One request. The deadline is for the whole answer, where a timeout of httpx is for each piece of it."""
    until = time.monotonic() + PATIENCE
    with client.stream(method, path, json=body) as answer:
        parts = []
        for part in answer.iter_raw():
            parts.append(part)
            if time.monotonic() > until:
                raise httpx.ReadTimeout(f"{step}: no end of the answer in {PATIENCE} s")
        # Decoded at the end, in the content coding that the headers tell.
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"transfer-encoding"]
        return httpx.Response(answer.status_code, headers=headers, content=b"".join(parts))


def checked(step: str, answer: httpx.Response) -> Any:
    if not answer.is_success:
        raise ClientError(f"{step} was refused: {answer.status_code} {answer.text[:300]}")
    return answer.json()


def post(client: httpx.Client, step: str, path: str, body: Any = None) -> Any:
    """A POST is sent once: whoever repeats it may send a message twice."""
    return checked(step, ask(client, step, "POST", path, body))


def poll(client: httpx.Client, path: str) -> Any:
    """A poll may be repeated, from the same offset: after a broken connection, and where a server is busy."""
    for attempt in range(TRIES):
        wait = min(2.0**attempt, 8)
        try:
            answer = ask(client, "the poll of the task", "GET", path)
            if answer.status_code not in PASSING:
                return checked("the poll of the task", answer)["data"]
            problem = f"status {answer.status_code}"
            wait = max(wait, retry_after(answer))
        except httpx.TransportError as error:
            problem = f"{type(error).__name__}: {error}"
            if isinstance(error, httpx.TimeoutException) and attempt >= 1:
                break
        print(f"the poll of the task failed ({problem}); trying again", file=sys.stderr)
        time.sleep(wait)
    raise ClientError(f"the poll of the task failed for good: {problem}")


def retry_after(answer: httpx.Response) -> float:
    value = answer.headers.get("Retry-After", "0")
    if value.isdigit():
        return float(value)
    return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())


def follow(client: httpx.Client, task: str, show: Callable[[str], None]) -> str:
    """Show the answer of a task as it comes; its final status."""
    offset = 0
    while True:
        news = poll(client, f"/api/v1/tasks/{task}?from={offset}")
        offset = news["next_offset"]
        for event in news["events"]:
            if event.get("type") == "text_chunk":
                show(event["data"]["content"])
            elif event.get("type") == "error":
                print(f"error: {(event.get('data') or {}).get('message')}", file=sys.stderr)
        if news["status"] != "running":
            return str(news["status"])
        time.sleep(PAUSE)


def main() -> None:
    sys.stdout.reconfigure(errors="replace")  # half of a surrogate pair is no reason to end
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx.Client(base_url=URL, headers=headers, timeout=PATIENCE, follow_redirects=False) as client:
        post(client, "the workspace", "/api/v1/workspaces", {"workspace_id": WORKSPACE})
        path = f"/api/v1/workspaces/{WORKSPACE}"
        conversation = CONVERSATION or post(client, "the conversation", f"{path}/conversations")["conversation_id"]
        message = {"conversation_id": conversation, "message": MESSAGE, "run_mode": "fast"}
        task = post(client, "the message", f"{path}/messages", message)["task_id"]
        status = follow(client, task, lambda text: print(text, end="", flush=True))
    print()
    if status == "failed":
        raise ClientError("the task failed")


if __name__ == "__main__":
    try:
        main()
    except (ClientError, httpx.HTTPError) as problem:
        sys.exit(f"error: {problem}")
