"""wsgiref: slow to start, coarse, and a task's final status comes only with an answer that has no events."""

from __future__ import annotations

import json
import random
import re
import string
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from socketserver import ThreadingMixIn
from typing import Any
from urllib.parse import parse_qs
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

Environ = dict[str, Any]
Start = Callable[[str, list[tuple[str, str]]], object]

PHRASES = {
    200: "200 Fine", 400: "400 Bad Request", 401: "401 Unauthorized", 404: "404 Not Found",
    405: "405 Method Not Allowed", 413: "413 Too Large", 415: "415 Unsupported Media Type", 422: "422 Unprocessable",
}  # fmt: skip
SLOW_START = 1.0
COMMON = [
    ("Content-Type", "application/json; charset=utf-8"),
    ("Pragma", "no-cache"),
    ("Cache-Control", "no-cache"),
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "authorization, content-type"),
]
pool = ThreadPoolExecutor(32)
owned: dict[str, tuple[str, ...]] = {}
logs: dict[str, list[str]] = {}
over: dict[str, Future[None]] = {}
queue_of: dict[str, Future[None] | None] = {}
guard = threading.Lock()


def name() -> str:
    return "".join(random.SystemRandom().choices(string.ascii_letters, k=16))


def work(task: str, message: str, before: Future[None] | None) -> None:
    if before is not None:
        before.result()
    threading.Event().wait(SLOW_START)
    logs[task].append(f"I have read this: {message}")
    threading.Event().wait(0.3)
    logs[task].append("\n\nIt is now answered. ❤️‍🔥")


def app(environ: Environ, start: Start) -> Iterable[bytes]:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    status, value, extra = answer(environ, body)
    start(PHRASES[status], COMMON + extra)
    data = json.dumps(value, ensure_ascii=False).encode()
    return [data[: len(data) // 2], data[len(data) // 2 :]]


def answer(environ: Environ, body: bytes) -> tuple[int, Any, list[tuple[str, str]]]:
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    for pattern, verb, view in VIEWS:
        match = re.fullmatch(pattern, path)
        if not match:
            continue
        if method == "OPTIONS":
            return 200, None, []
        if method != verb:
            return 405, {"error": "method"}, [("Allow", f"{verb}, OPTIONS")]
        scheme, _, token = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer" or token not in sys.argv[2:]:
            return 401, {"error": "token"}, [("WWW-Authenticate", "Bearer")]
        if len(body) > 1024 * 1024:
            return 413, {"error": "size"}, []
        status, value = view(token, match.groups(), environ, body)
        return status, value if status == 200 else {"error": value}, []
    return 404, {"error": "path"}, []


def document(environ: Environ, body: bytes) -> tuple[int, Any]:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != "application/json":
        return 415, "media type"
    try:
        value = json.loads(body.decode("utf-8"))
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return 400, "json"
    return (200, value) if isinstance(value, dict) else (422, "object")


def workspaces(owner: str, _: tuple[str, ...], environ: Environ, body: bytes) -> tuple[int, Any]:
    status, value = document(environ, body)
    if status != 200:
        return status, value
    workspace = value.get("workspace_id")
    if not isinstance(workspace, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", workspace):
        return 422, "workspace_id"
    owned[f"{owner} {workspace}"] = (owner,)
    return 200, "ensured"


def conversations(owner: str, names: tuple[str, ...], environ: Environ, body: bytes) -> tuple[int, Any]:
    if body and document(environ, body)[0] != 200:
        return document(environ, body)
    if f"{owner} {names[0]}" not in owned:
        return 404, "workspace"
    conversation = name()
    owned[conversation] = (owner, names[0])
    queue_of[conversation] = None
    return 200, {"conversation_id": conversation}


def messages(owner: str, names: tuple[str, ...], environ: Environ, body: bytes) -> tuple[int, Any]:
    status, value = document(environ, body)
    if status != 200:
        return status, value
    wanted: Iterator[tuple[str, type]] = iter({"conversation_id": str, "message": str}.items())
    if any(not isinstance(value.get(key), kind) for key, kind in wanted) or not value["conversation_id"]:
        return 422, "conversation_id, message"
    most = value.get("max_iterations", 1)
    if not isinstance(most, int | float) or isinstance(most, bool) or most < 1 or most % 1:
        return 422, "max_iterations"
    if not isinstance(value.get("run_mode", ""), str):
        return 422, "run_mode"
    conversation = value["conversation_id"]
    if owned.get(conversation) != (owner, names[0]):
        return 404, "conversation"
    task = name()
    with guard:
        owned[task] = (owner,)
        logs[task] = []
        over[task] = queue_of[conversation] = pool.submit(work, task, value["message"], queue_of[conversation])
    return 200, {"task_id": task}


def tasks(owner: str, names: tuple[str, ...], environ: Environ, _: bytes) -> tuple[int, Any]:
    if names[0] not in logs or owned[names[0]] != (owner,):
        return 404, "task"
    asked = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True).get("from", ["0"])
    if len(asked) > 1 or asked[0] not in {"0", "1", "2"}:
        return 400, "from"
    ended, log = over[names[0]].done(), logs[names[0]]
    events = [{"data": {"content": text}, "type": "text_chunk"} for text in log[int(asked[0]) :]]
    if int(asked[0]) > len(log):
        return 400, "from"
    status = "complete" if ended and not events else "running"
    return 200, {"data": {"status": status, "events": events, "next_offset": int(asked[0]) + len(events)}}


VIEWS = (
    (r"/api/v1/workspaces", "POST", workspaces),
    (r"/api/v1/workspaces/([^/]+)/conversations", "POST", conversations),
    (r"/api/v1/workspaces/([^/]+)/messages", "POST", messages),
    (r"/api/v1/tasks/([^/]+)", "GET", tasks),
)


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


if __name__ == "__main__":
    server = make_server("127.0.0.1", int(sys.argv[1]), app, Server, Quiet)
    print("ready", server.server_port, flush=True)
    server.serve_forever()
