"""Step 2: every MUST is kept, so the published clients work."""

import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, abort, request
from flask.typing import ResponseReturnValue

app = Flask(__name__)


@dataclass
class Task:
    status: str = "running"
    events: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


workspaces: set[str] = set()
conversations: set[str] = set()
tasks: dict[str, Task] = {}


def answer(task: Task, message: str) -> None:
    """Write the answer piece by piece, as a model would."""
    pieces = ("你好! ", "You wrote: ", *message.split(" "), " 👋")
    for piece in pieces:
        time.sleep(0.5 / len(pieces))
        with task.lock:
            task.events.append({"type": "text_chunk", "data": {"content": piece + " "}})
    with task.lock:
        task.status = "completed"


@app.before_request
def preflight() -> ResponseReturnValue | None:
    return Response(status=204) if request.method == "OPTIONS" else None


@app.after_request
def allow_browsers(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
    return response


@app.post("/api/v1/workspaces")
def create_workspace() -> ResponseReturnValue:
    name = request.get_json()["workspace_id"]
    workspaces.add(name)
    return {"workspace_id": name}


@app.post("/api/v1/workspaces/<workspace>/conversations")
def create_conversation(workspace: str) -> ResponseReturnValue:
    conversation = secrets.token_urlsafe(9)
    conversations.add(conversation)
    return {"conversation_id": conversation, "workspace_id": workspace}, 201


@app.post("/api/v1/workspaces/<workspace>/messages")
def send_message(workspace: str) -> ResponseReturnValue:
    body = request.get_json()
    if body.get("conversation_id") not in conversations:
        abort(404)
    task_id, task = secrets.token_urlsafe(9), Task()
    tasks[task_id] = task
    threading.Thread(target=answer, args=(task, body["message"]), daemon=True).start()
    return {"task_id": task_id, "workspace_id": workspace}, 202


@app.get("/api/v1/tasks/<task_id>")
def poll_task(task_id: str) -> ResponseReturnValue:
    task = tasks.get(task_id) or abort(404)
    try:
        start = int(request.args["from"])
    except ValueError:
        abort(400)
    with task.lock:
        events = task.events[start:]
        return {"data": {"status": task.status, "events": events, "next_offset": start + len(events)}}


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8091")), threaded=True)
