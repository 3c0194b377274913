"""Step 3: everything that the clients need, and what HTTP asks beside it."""

import os
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, Forbidden, HTTPException, NotFound, Unauthorized, UnprocessableEntity

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
TOKENS = set(os.environ.get("TOKENS", "secret").split(","))


@dataclass
class Task:
    owner: str
    status: str = "running"
    events: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


workspaces: set[tuple[str, str]] = set()
conversations: dict[str, tuple[str, str]] = {}
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
def authorize() -> ResponseReturnValue | None:
    if request.method == "OPTIONS":
        return Response(status=204)
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Bearer" or token not in TOKENS:
        raise Unauthorized
    return None


@app.after_request
def allow_browsers(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
    response.headers["Cache-Control"] = "no-store"
    if response.mimetype == "application/json":
        response.headers["Content-Type"] = "application/json; charset=utf-8"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


@app.errorhandler(RecursionError)
def too_deep(_: RecursionError) -> ResponseReturnValue:
    return tell(BadRequest("the body nests too deep"))


@app.errorhandler(HTTPException)
def tell(error: HTTPException) -> ResponseReturnValue:
    allow = {"Allow": ", ".join(getattr(error, "valid_methods", None) or [])}
    return {"error": {"code": error.name, "message": error.description}}, error.code or 500, allow


def owner() -> str:
    return request.headers["Authorization"].partition(" ")[2]


def text(body: Any, name: str) -> str:
    value = body.get(name) if isinstance(body, dict) else None
    if not isinstance(value, str):
        raise UnprocessableEntity(f"{name} must be a text")
    return value


@app.post("/api/v1/workspaces")
def create_workspace() -> ResponseReturnValue:
    name = text(request.get_json(), "workspace_id")
    if not name:
        raise UnprocessableEntity("workspace_id is empty")
    known = (owner(), name) in workspaces
    workspaces.add((owner(), name))
    return {"workspace_id": name}, 200 if known else 201


@app.post("/api/v1/workspaces/<workspace>/conversations")
def create_conversation(workspace: str) -> ResponseReturnValue:
    if (owner(), workspace) not in workspaces:
        raise NotFound
    conversation = secrets.token_urlsafe(9)
    conversations[conversation] = (owner(), workspace)
    return {"conversation_id": conversation}, 201


@app.post("/api/v1/workspaces/<workspace>/messages")
def send_message(workspace: str) -> ResponseReturnValue:
    body = request.get_json()
    conversation, message = text(body, "conversation_id"), text(body, "message")
    if not isinstance(body.get("run_mode", ""), str):
        raise UnprocessableEntity("run_mode must be a text")
    limit = body.get("max_iterations", 1)
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise UnprocessableEntity("max_iterations must be 1 or more")
    if conversations.get(conversation) != (owner(), workspace):
        raise NotFound
    task_id, task = secrets.token_urlsafe(9), Task(owner())
    tasks[task_id] = task
    threading.Thread(target=answer, args=(task, message), daemon=True).start()
    return {"task_id": task_id}, 202


@app.get("/api/v1/tasks/<task_id>")
def poll_task(task_id: str) -> ResponseReturnValue:
    task = tasks.get(task_id)
    if task is None:
        raise NotFound
    if task.owner != owner():
        raise Forbidden
    given = request.args.get("from", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 16):
        raise BadRequest("from must be an offset")
    with task.lock:
        if int(given) > len(task.events):
            raise BadRequest("from lies behind the end")
        events = task.events[int(given) :]
        return {"data": {"status": task.status, "events": events, "next_offset": len(task.events)}}


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8091")), threaded=True)
