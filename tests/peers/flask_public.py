"""Flask and threads in the shape of the public server: one task at a time for each user and workspace, or each user.

Another message there is answered 409. A message need not name a conversation, no keys are taken but the known ones,
events carry their place, everything is kept in memory, and of a task's events the last thousand.
"""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
import uuid
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

KEPT = 1000
MESSAGE_KEYS = {"message", "images", "conversation_id", "model_key", "run_mode", "thinking_mode", "max_iterations"}
CONVERSATION_KEYS = {"prompt_name", "personalization_name"}
MODES = (None, "fast", "thinking", "deep")

app = flask.Flask("public")
app.config["MAX_CONTENT_LENGTH"] = 4 * 1024 * 1024
arguments = [word for word in sys.argv[1:] if not word.startswith("--")]
one_for_each_user = "--one-for-each-user" in sys.argv
port, tokens = int(arguments[0]), arguments[1:]
lock = threading.Lock()
numbers = itertools.count(1)
workspaces: set[tuple[str, str]] = set()
conversations: dict[str, tuple[str, str]] = {}


@dataclass
class Task:
    owner: str
    workspace: str
    status: str = "running"
    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    count: int = 0

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        with lock:
            self.events.append({"idx": self.count, "type": kind, "data": data, "ts": time.time()})
            self.count += 1


tasks: dict[str, Task] = {}


class RefusedError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@app.errorhandler(RefusedError)
def refused(error: RefusedError) -> flask.typing.ResponseReturnValue:
    challenge = {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
    return {"success": False, "error": str(error)}, error.status, challenge


@app.errorhandler(HTTPException)
def failed(error: HTTPException) -> flask.typing.ResponseReturnValue:
    headers = [(name, value) for name, value in error.get_headers() if name.lower() == "allow"]
    return {"success": False, "error": error.name}, error.code or 500, headers


@app.after_request
def allow_any_origin(response: flask.Response) -> flask.Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type"
    return response


def user() -> str:
    scheme, _, token = flask.request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or token not in tokens:
        raise RefusedError(401, "not logged in")
    return token


def json_object(allowed: set[str], *, may_be_absent: bool = False) -> dict[str, Any]:
    if may_be_absent and not flask.request.get_data():
        return {}
    try:
        value = flask.request.get_json()
    except RecursionError:
        raise RefusedError(400, "nested too deeply") from None
    if not isinstance(value, dict) or set(value) - allowed:
        raise RefusedError(400, "an object of the documented keys is wanted")
    return value


@app.post("/api/v1/workspaces")
def ensure_workspace() -> flask.typing.ResponseReturnValue:
    who, name = user(), json_object({"workspace_id"}).get("workspace_id")
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum() or len(name) > 64:
        raise RefusedError(400, "workspace_id is not allowed")
    with lock:
        workspaces.add((who, name))
    return {"success": True, "workspace_id": name}


def known(who: str, workspace: str) -> None:
    if (who, workspace) not in workspaces:
        raise RefusedError(404, "no such workspace")


def new_conversation(who: str, workspace: str) -> str:
    name = f"conv_{datetime.now(UTC):%Y%m%d_%H%M%S}_{next(numbers):03d}"
    conversations[name] = (who, workspace)
    return name


@app.post("/api/v1/workspaces/<workspace>/conversations")
def open_conversation(workspace: str) -> flask.typing.ResponseReturnValue:
    who = user()
    json_object(CONVERSATION_KEYS, may_be_absent=True)
    with lock:
        known(who, workspace)
        return {"success": True, "workspace_id": workspace, "conversation_id": new_conversation(who, workspace)}


def right_message(body: dict[str, Any]) -> str:
    text, limit = body.get("message"), body.get("max_iterations")
    if not isinstance(text, str) or not (text or body.get("images")):
        raise RefusedError(400, "message and images are both empty")
    if body.get("run_mode") not in MODES:
        raise RefusedError(400, "run_mode is unknown")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        raise RefusedError(400, "max_iterations is a positive integer")
    if not isinstance(body.get("conversation_id"), str | None):
        raise RefusedError(400, "conversation_id is a text")
    return text


def is_busy(who: str, workspace: str) -> bool:
    return any(
        task.status == "running" and task.owner == who and (one_for_each_user or task.workspace == workspace)
        for task in tasks.values()
    )


@app.post("/api/v1/workspaces/<workspace>/messages")
def send_message(workspace: str) -> flask.typing.ResponseReturnValue:
    who, body = user(), json_object(MESSAGE_KEYS)
    text = right_message(body)
    with lock:
        known(who, workspace)
        name = body.get("conversation_id") or new_conversation(who, workspace)
        if conversations.get(name) != (who, workspace):
            raise RefusedError(404, "no such conversation")
        if is_busy(who, workspace):
            raise RefusedError(409, "a task is running already; try again later")
        task_id, task = str(uuid.uuid4()), Task(who, workspace)
        tasks[task_id] = task
    threading.Thread(target=work, args=(task, text), daemon=True).start()
    answer = {"task_id": task_id, "conversation_id": name, "status": "running", "created_at": time.time()}
    return {"success": True, **answer}, 202


def work(task: Task, text: str) -> None:
    task.emit("ai_message_start", {})
    task.emit("thinking_chunk", {"content": "I was asked something."})
    size = max(1, len(text) // 110)
    began = time.time()
    for index, at in enumerate(range(0, len(text), size)):
        time.sleep(min(0.03, 1.2 * size / len(text)))
        told = {"content": text[at : at + size], "index": index, "elapsed": time.time() - began}
        task.emit("text_chunk", told)
    with lock:
        task.status = "succeeded"


@app.get("/api/v1/tasks/<task_id>")
def poll(task_id: str) -> flask.typing.ResponseReturnValue:
    who, asked = user(), flask.request.args.get("from", "0")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
        raise RefusedError(400, "from is an index")
    with lock:
        task = tasks.get(task_id)
        if task is None or task.owner != who:
            raise RefusedError(404, "no such task")
        if int(asked) > task.count:
            raise RefusedError(400, "from lies behind the end")
        new = [event for event in task.events if event["idx"] >= int(asked)]
        data = {"status": task.status, "events": new, "next_offset": task.count, "task_id": task_id}
        return {"success": True, "data": data}


if __name__ == "__main__":
    logging.getLogger("werkzeug").disabled = True
    server = make_server("127.0.0.1", port, app, threaded=True)
    print("ready", server.port, flush=True)
    server.serve_forever()
