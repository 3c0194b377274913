"""The standard library's threading server: HTTP/1.0, a connection a request, a thread a task."""

from __future__ import annotations

import hmac
import itertools
import json
import re
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

LIMIT = 1 << 20
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "Authorization, Content-Type",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}


@dataclass
class Task:
    owner: str
    status: str = "running"
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Conversation:
    owner: str
    workspace: str
    turn: threading.Lock = field(default_factory=threading.Lock)


class RefusedError(Exception):
    def __init__(self, status: int, why: str, **headers: str) -> None:
        super().__init__(why)
        self.status, self.headers = status, headers


class Store:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.workspaces: set[tuple[str, str]] = set()
        self.conversations: dict[str, Conversation] = {}
        self.tasks: dict[str, Task] = {}

    def new_task(self, owner: str) -> Task:
        return Task(owner)

    def work(self, task: Task, conversation: Conversation, message: str) -> None:
        with conversation.turn:
            words = re.findall(r"\S+\s*", message) or [""]
            for word in ["You said: ", *words, " - and that was it. ✔"]:
                time.sleep(min(0.05, 1.0 / len(words)))
                with self.lock:
                    task.events.append({"type": "text_chunk", "data": {"content": word}})
            with self.lock:
                task.status = "completed"


class Handler(BaseHTTPRequestHandler):
    store: Store

    def do_POST(self) -> None:
        self.answer(self.post)

    def do_GET(self) -> None:
        self.answer(self.poll)

    def do_OPTIONS(self) -> None:
        self.reply(200, {}, {})

    def refuse_method(self) -> None:
        self.answer(self.no_such_method)

    do_PUT = do_DELETE = do_PATCH = refuse_method  # noqa: N815 - the names that http.server looks up

    def answer(self, call: Any) -> None:
        try:
            self.body = self.read()
            status, value = call()
            self.reply(status, value, {})
        except RefusedError as refusal:
            self.reply(refusal.status, {"error": str(refusal)}, refusal.headers)

    def read(self) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(min(length, 64 * LIMIT))
        if length > LIMIT:
            raise RefusedError(413, "that is more than a mebibyte")
        return body

    def reply(self, status: int, value: Any, headers: dict[str, str]) -> None:
        data = json.dumps(value, ensure_ascii=False, indent=1).encode()
        self.send_response(status)
        said = {"Content-Type": "application/json; charset=UTF-8", "Cache-Control": "no-cache", **CORS, **headers}
        for name, text in said.items():
            self.send_header(name.replace("_", "-"), text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def owner(self) -> str:
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        for known in self.store.tokens:
            if scheme.lower() == "bearer" and hmac.compare_digest(known.encode(), token.encode()):
                return known
        raise RefusedError(401, "who are you?", WWW_Authenticate="Bearer")

    def json(self) -> dict[str, Any]:
        kind = (self.headers.get("Content-Type") or "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise RefusedError(415, "JSON, please")
        try:
            value = json.loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError):
            raise RefusedError(400, "that is no JSON") from None
        if not isinstance(value, dict):
            raise RefusedError(422, "an object, please")
        return value

    def segments(self) -> list[str]:
        return [unquote(part) for part in urlsplit(self.path).path.split("/")[1:]]

    def no_such_method(self) -> tuple[int, Any]:
        match self.segments():
            case ["api", "v1", "workspaces"] | ["api", "v1", "workspaces", _, "conversations" | "messages"]:
                raise RefusedError(405, "not that method", Allow="POST, OPTIONS")
            case ["api", "v1", "tasks", _]:
                raise RefusedError(405, "not that method", Allow="GET, OPTIONS")
        raise RefusedError(404, "nothing here")

    def post(self) -> tuple[int, Any]:
        match self.segments():
            case ["api", "v1", "workspaces"]:
                return self.workspace(self.owner(), self.json())
            case ["api", "v1", "workspaces", name, "conversations"]:
                return self.conversation(self.owner(), name)
            case ["api", "v1", "workspaces", name, "messages"]:
                return self.message(self.owner(), name, self.json())
        return self.no_such_method()

    def workspace(self, owner: str, body: dict[str, Any]) -> tuple[int, Any]:
        name = body.get("workspace_id")
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}", name):
            raise RefusedError(422, "workspace_id is a short name")
        with self.store.lock:
            self.store.workspaces.add((owner, name))
        return 201, {"workspace_id": name}

    def conversation(self, owner: str, workspace: str) -> tuple[int, Any]:
        if self.body and not isinstance(self.json(), dict):
            raise RefusedError(422, "an object, please")
        with self.store.lock:
            if (owner, workspace) not in self.store.workspaces:
                raise RefusedError(404, "no such workspace")
            name = f"c{next(self.store.numbers)}"
            self.store.conversations[name] = Conversation(owner, workspace)
        return 201, {"conversation_id": name}

    def message(self, owner: str, workspace: str, body: dict[str, Any]) -> tuple[int, Any]:
        name, text, limit = body.get("conversation_id"), body.get("message"), body.get("max_iterations", 1)
        mode = body.get("run_mode", "")
        if not isinstance(name, str) or not name or not isinstance(text, str) or not isinstance(mode, str):
            raise RefusedError(422, "conversation_id and message are texts")
        if isinstance(limit, bool) or not isinstance(limit, int | float) or limit < 1 or limit % 1:
            raise RefusedError(422, "max_iterations is a positive integer")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise RefusedError(422, "half a character")
        with self.store.lock:
            conversation = self.store.conversations.get(name)
            if conversation is None or (conversation.owner, conversation.workspace) != (owner, workspace):
                raise RefusedError(404, "no such conversation")
            task_id, task = f"t{next(self.store.numbers)}", self.store.new_task(owner)
            self.store.tasks[task_id] = task
        threading.Thread(target=self.store.work, args=(task, conversation, text), daemon=True).start()
        return 202, {"task_id": task_id}

    def poll(self) -> tuple[int, Any]:
        match self.segments():
            case ["api", "v1", "tasks", name]:
                owner = self.owner()
            case _:
                return self.no_such_method()
        asked = parse_qs(urlsplit(self.path).query, keep_blank_values=True).get("from", ["0"])
        if len(asked) != 1 or not re.fullmatch(r"[0-9]{1,9}", asked[0], re.ASCII):
            raise RefusedError(400, "from is an offset")
        with self.store.lock:
            task = self.store.tasks.get(name)
            if task is None or task.owner != owner:
                raise RefusedError(404, "no such task")
            if int(asked[0]) > len(task.events):
                raise RefusedError(416, "from lies behind the end")
            new = task.events[int(asked[0]) :]
            return 200, {"data": {"events": new, "next_offset": len(task.events), "status": task.status}}

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self.command = getattr(self, "command", None) or "GET"
        self.reply(code, {"error": message or explain or "refused"}, {})


class Server(ThreadingHTTPServer):
    request_queue_size = 64  # the library's five are reset by twenty clients that come at once


def main() -> None:
    Handler.store = Store(sys.argv[2:])
    server = Server(("127.0.0.1", int(sys.argv[1])), Handler)
    print("ready", server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
