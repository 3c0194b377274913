"""The same send-and-poll as our users, on Locust's own clients: nothing is validated but that the answers are JSON."""

from __future__ import annotations

import os
import random
from typing import Any

import gevent
from locust import FastHttpUser, HttpUser

INTERVAL = float(os.environ["INTERVAL"])
SPREAD = float(os.environ["SPREAD"])
HEADERS = {"Authorization": "Bearer token"}


def send_and_poll(person: Any) -> None:
    """One message and its task."""
    if not hasattr(person, "conversation"):
        gevent.sleep(random.random() * SPREAD)
        post(person, "/api/v1/workspaces", {"workspace_id": "bench"})
        person.conversation = post(person, "/api/v1/workspaces/bench/conversations", None)["conversation_id"]
    message = {"conversation_id": person.conversation, "message": "hello", "run_mode": "fast"}
    name = post(person, "/api/v1/workspaces/bench/messages", message)["task_id"]
    offset = 0
    while True:
        path = f"/api/v1/tasks/{name}?from={offset}"
        data = person.client.get(path, headers=HEADERS, name="/tasks/{id}").json()["data"]
        offset = data["next_offset"]
        if data["status"] != "running":
            return
        gevent.sleep(INTERVAL)


def post(person: Any, path: str, body: dict[str, Any] | None) -> Any:
    """The answer to a POST."""
    return person.client.post(path, json=body, headers=HEADERS).json()


if os.environ["CLIENT"] == "fast":

    class FastPerson(FastHttpUser):
        """On geventhttpclient."""

        tasks = [send_and_poll]  # noqa: RUF012 - so Locust declares it

else:

    class PlainPerson(HttpUser):
        """On requests."""

        tasks = [send_and_poll]  # noqa: RUF012 - so Locust declares it
