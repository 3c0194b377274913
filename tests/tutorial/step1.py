"""Step 1: the four calls, as the examples call them."""

import itertools
import os
import threading
import time
from typing import Any

from flask import Flask, request
from flask.typing import ResponseReturnValue

app = Flask(__name__)
workspaces: set[str] = set()
tasks: dict[str, dict[str, Any]] = {}
numbers = itertools.count(1)


def answer(task: dict[str, Any], message: str) -> None:
    """Write the answer piece by piece, as a model would."""
    for piece in ("你好! ", "You wrote: ", *message.split(" "), " 👋"):
        time.sleep(0.03)
        task["events"].append({"type": "text_chunk", "data": {"content": piece + " "}})
    task["status"] = "completed"


@app.post("/api/v1/workspaces")
def create_workspace() -> ResponseReturnValue:
    name = request.json["workspace_id"]
    if name in workspaces:
        return {"error": "it exists already"}, 409
    workspaces.add(name)
    return {"workspace_id": name}, 201


@app.post("/api/v1/workspaces/<workspace>/conversations")
def create_conversation(workspace: str) -> ResponseReturnValue:
    return {"conversation_id": f"conv-{next(numbers)}", "workspace_id": workspace}, 201


@app.post("/api/v1/workspaces/<workspace>/messages")
def send_message(workspace: str) -> ResponseReturnValue:
    task: dict[str, Any] = {"status": "queued", "events": []}
    task_id = f"task-{next(numbers)}"
    tasks[task_id] = task
    threading.Timer(0.2, task.update, [{"status": "running"}]).start()
    threading.Thread(target=answer, args=(task, request.json["message"]), daemon=True).start()
    return {"task_id": task_id, "workspace_id": workspace}, 202


@app.get("/api/v1/tasks/<task_id>")
def poll_task(task_id: str) -> ResponseReturnValue:
    task = tasks[task_id]
    start, status = int(request.args["from"]), task["status"]
    events = task["events"][start:]
    return {"data": {"status": status, "events": events, "next_offset": start + len(events)}}


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8091")), threaded=True)
