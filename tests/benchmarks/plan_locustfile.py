"""What a user would do by hand: a plain Locust step load that sends and polls. No part of Sendpoll.

Its settings come from the environment: TOKEN, THINK_S, STEP_USERS, STEP_S, STEPS.
"""

from __future__ import annotations

import os
import random
import time

import gevent
from locust import HttpUser, LoadTestShape, constant, task

THINK_S = float(os.environ.get("THINK_S", "3"))
STEP_USERS = int(os.environ.get("STEP_USERS", "10"))
STEP_S = float(os.environ.get("STEP_S", "30"))
STEPS = int(os.environ.get("STEPS", "10"))


class Chatter(HttpUser):
    wait_time = constant(0)

    def on_start(self) -> None:
        self.client.headers["Authorization"] = f"Bearer {os.environ.get('TOKEN', '')}"
        self.client.post("/api/v1/workspaces", json={"workspace_id": "by-hand"}, name="workspace")
        answer = self.client.post("/api/v1/workspaces/by-hand/conversations", name="conversation")
        self.conversation = answer.json()["conversation_id"]

    @task
    def chat(self) -> None:
        began = time.perf_counter()
        body = {"conversation_id": self.conversation, "message": "Say hello."}
        name = self.client.post("/api/v1/workspaces/by-hand/messages", json=body, name="message").json()["task_id"]
        offset, status = 0, "running"
        while status == "running":
            data = self.client.get(f"/api/v1/tasks/{name}?from={offset}", name="poll").json()["data"]
            offset, status = data["next_offset"], data["status"]
            if status == "running":
                gevent.sleep(0.5)
        took = (time.perf_counter() - began) * 1000
        self.environment.events.request.fire(
            request_type="TASK", name="task", response_time=took, response_length=0, exception=None, context={}
        )
        gevent.sleep(random.expovariate(1 / THINK_S))


class Steps(LoadTestShape):
    def tick(self) -> tuple[int, float] | None:
        step = int(self.get_run_time() // STEP_S)  # type: ignore[no-untyped-call]  # Locust leaves it untyped
        return None if step >= STEPS else ((step + 1) * STEP_USERS, 100.0)
