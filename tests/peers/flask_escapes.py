"""Flask on werkzeug: text beyond ASCII as escapes, no charset, the whole answer in two chunks, other statuses."""

from __future__ import annotations

import collections
import logging
import queue
import secrets
import sys
import threading
from typing import Any

import flask
from werkzeug.exceptions import HTTPException
from werkzeug.serving import make_server

app = flask.Flask("peer")
app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
TOKENS = sys.argv[2:]
rooms: dict[str, set[str]] = collections.defaultdict(set)
talks: dict[tuple[str, str, str], queue.Queue[tuple[str, str]]] = {}
results: dict[tuple[str, str], list[Any]] = {}


@app.before_request
def identify() -> flask.typing.ResponseReturnValue | None:
    if flask.request.method == "OPTIONS" or flask.request.routing_exception is not None:
        return None
    words = flask.request.headers.get("Authorization", "").split()
    if len(words) != 2 or words[0].lower() != "bearer" or words[1] not in TOKENS:
        return {"message": "unauthorised"}, 403
    flask.g.owner = words[1]
    return None


@app.after_request
def decorate(response: flask.Response) -> flask.Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Authorization,Content-Type"
    response.headers["Cache-Control"] = "no-store, max-age=0"
    return response


@app.errorhandler(HTTPException)
def failed(error: HTTPException) -> flask.typing.ResponseReturnValue:
    headers = [(name, value) for name, value in error.get_headers() if name.lower() == "allow"]
    return {"message": error.name}, error.code or 400, headers


@app.errorhandler(RecursionError)
def too_deep(_: RecursionError) -> flask.typing.ResponseReturnValue:
    return {"message": "nested too deeply"}, 400


def valid(body: Any, name: str, kind: type, *, required: bool = True) -> Any:
    if not isinstance(body, dict):
        flask.abort(422)
    value = body.get(name)
    if name not in body and not required:
        return None
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, kind) or isinstance(value, bool):
        flask.abort(422)
    return value


@app.post("/api/v1/workspaces")
def workspace() -> flask.typing.ResponseReturnValue:
    name = valid(flask.request.get_json(), "workspace_id", str)
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-")
    if not name or len(name) > 64 or not set(name) <= allowed or name[0] in "._~-":
        flask.abort(422)
    rooms[flask.g.owner].add(name)
    return flask.jsonify(None)


@app.post("/api/v1/workspaces/<room>/conversations")
def conversation(room: str) -> flask.typing.ResponseReturnValue:
    if flask.request.get_data() and not isinstance(flask.request.get_json(), dict):
        flask.abort(422)
    if room not in rooms[flask.g.owner]:
        flask.abort(404)
    name = secrets.token_urlsafe(9)
    inbox: queue.Queue[tuple[str, str]] = queue.Queue()
    talks[flask.g.owner, room, name] = inbox
    threading.Thread(target=answer, args=(inbox,), daemon=True).start()
    return {"conversation_id": name}, 201


@app.post("/api/v1/workspaces/<room>/messages")
def message(room: str) -> flask.typing.ResponseReturnValue:
    body = flask.request.get_json()
    name, text = valid(body, "conversation_id", str), valid(body, "message", str)
    steps = valid(body, "max_iterations", int, required=False)
    valid(body, "run_mode", str, required=False)
    if not name or (steps is not None and steps < 1) or any("\ud800" <= sign <= "\udfff" for sign in text):
        flask.abort(422)
    inbox = talks.get((flask.g.owner, room, name))
    if inbox is None:
        flask.abort(404)
    task = secrets.token_urlsafe(12)
    results[flask.g.owner, task] = [None, text]
    inbox.put((flask.g.owner, task))
    return {"task_id": task}, 202


def answer(inbox: queue.Queue[tuple[str, str]]) -> None:
    while True:
        key = inbox.get()
        text = results[key][1]
        half = len(text) // 2
        threading.Event().wait(0.2)
        events = ["Thanks for: " + text[:half], text[half:] + " (received)"]
        results[key][0] = [{"type": "text_chunk", "data": {"content": part}} for part in events]


@app.get("/api/v1/tasks/<task>")
def poll(task: str) -> flask.typing.ResponseReturnValue:
    asked = flask.request.args.getlist("from")
    given = asked[0] if asked else "0"
    if len(asked) > 1 or given not in ("0", "2") or (flask.g.owner, task) not in results:
        flask.abort(404 if (flask.g.owner, task) not in results else 400)
    events = results[flask.g.owner, task][0]
    if events is None:
        if given != "0":
            flask.abort(400)
        return {"data": {"status": "running", "next_offset": 0, "events": []}}
    return {"data": {"status": "ok", "next_offset": 2, "events": events if given == "0" else []}}


if __name__ == "__main__":
    logging.getLogger("werkzeug").disabled = True
    server = make_server("127.0.0.1", int(sys.argv[1]), app, threaded=True)
    print("ready", server.server_port, flush=True)
    server.serve_forever()
