"""h11 over threads and sockets, tasks in SQLite: at most three events an answer, `running` until the last page."""

from __future__ import annotations

import contextlib
import json
import socketserver
import sqlite3
import sys
import threading
import time
from typing import Any
from urllib.parse import parse_qs, unquote

import h11

PAGE = 3
TOKENS = sys.argv[2:]
TABLES = """
CREATE TABLE workspace (owner TEXT, name TEXT, UNIQUE (owner, name));
CREATE TABLE conversation (id INTEGER PRIMARY KEY, owner TEXT, workspace TEXT);
CREATE TABLE task (id INTEGER PRIMARY KEY, owner TEXT, conversation INTEGER, state TEXT DEFAULT 'running');
CREATE TABLE event (task INTEGER, position INTEGER, body TEXT, PRIMARY KEY (task, position));
"""
lock = threading.Lock()
database = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
database.executescript(TABLES)
turns: dict[int, threading.Lock] = {}


def sql(text: str, *values: Any) -> list[Any]:
    with lock:
        return database.execute(text, values).fetchall()


def insert(text: str, *values: Any) -> int:
    with lock:
        return int(database.execute(text, values).lastrowid or 0)


class StatusError(Exception):
    """An answer that is no success."""

    def __init__(self, code: int, **headers: str) -> None:
        super().__init__(code)
        self.code, self.headers = code, headers


def read_body(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    if headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise StatusError(415)
    try:
        value = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise StatusError(400) from None
    if not isinstance(value, dict):
        raise StatusError(422)
    return value


def number(text: Any, prefix: str) -> int:
    digits = str(text).removeprefix(prefix)
    if not isinstance(text, str) or not text.startswith(prefix) or not digits.isascii() or not digits.isdigit():
        return -1
    return int(digits[:15])


def make_workspace(owner: str, body: dict[str, Any]) -> Any:
    name = body.get("workspace_id")
    if not isinstance(name, str) or not 1 <= len(name) <= 64 or not name.isascii() or not name[0].isalnum():
        raise StatusError(422)
    if any(not (letter.isalnum() or letter in "._~-") for letter in name):
        raise StatusError(422)
    insert("INSERT OR IGNORE INTO workspace VALUES (?, ?)", owner, name)
    return {}


def open_conversation(owner: str, workspace: str) -> Any:
    if not sql("SELECT 1 FROM workspace WHERE owner = ? AND name = ?", owner, workspace):
        raise StatusError(404)
    found = insert("INSERT INTO conversation (owner, workspace) VALUES (?, ?)", owner, workspace)
    turns[found] = threading.Lock()
    return {"conversation_id": f"k{found}"}


def take_message(owner: str, workspace: str, body: dict[str, Any]) -> Any:
    text, talk = body.get("message"), body.get("conversation_id")
    most = body.get("max_iterations", 1)
    if not (isinstance(text, str) and isinstance(talk, str) and talk and isinstance(body.get("run_mode", ""), str)):
        raise StatusError(422)
    if type(most) not in (int, float) or most < 1 or most != round(most):
        raise StatusError(422)
    if text != text.encode("utf-8", "replace").decode():
        raise StatusError(422)
    which = number(talk, "k")
    if not sql("SELECT 1 FROM conversation WHERE (id, owner, workspace) = (?, ?, ?)", which, owner, workspace):
        raise StatusError(404)
    task = insert("INSERT INTO task (owner, conversation) VALUES (?, ?)", owner, which)
    threading.Thread(target=run, args=(task, which, text), daemon=True).start()
    return {"task_id": f"T{task}"}


def run(task: int, conversation: int, text: str) -> None:
    step = max(2, len(text) // 50)
    parts = ["Answer: ", *(text[at : at + step] for at in range(0, len(text), step)), " (à bientôt 👋)"]
    with turns[conversation]:
        for position, part in enumerate(parts):
            time.sleep(0.01)
            event = {"type": "text_chunk", "data": {"content": part, "position": position}}
            insert("INSERT INTO event VALUES (?, ?, ?)", task, position, json.dumps(event))
        insert("UPDATE task SET state = 'stopped' WHERE id = ?", task)


def poll(owner: str, name: str, query: str) -> Any:
    task = number(name, "T")
    found = sql("SELECT state FROM task WHERE id = ? AND owner = ?", task, owner)
    if not found:
        raise StatusError(404)
    asked = parse_qs(query, keep_blank_values=True).get("from", ["0"])
    if len(asked) != 1 or not (asked[0].isascii() and asked[0].isdigit() and len(asked[0]) < 12):
        raise StatusError(400)
    offset = int(asked[0])
    rows = sql(
        "SELECT body FROM event WHERE task = ? AND position >= ? ORDER BY position LIMIT ?", task, offset, PAGE + 1
    )
    if offset > sql("SELECT count(*) FROM event WHERE task = ?", task)[0][0]:
        raise StatusError(400)
    page = [json.loads(body) for (body,) in rows[:PAGE]]
    state = "running" if len(rows) > PAGE else found[0][0]
    return {"data": {"events": page, "next_offset": offset + len(page), "status": state}}


def route(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any]:
    path, _, query = target.partition("?")
    parts = (
        [unquote(part) for part in path.removeprefix("/api/v1").strip("/").split("/")]
        if path.startswith("/api/v1/")
        else []
    )
    shape = (parts[0] if parts else "", len(parts), parts[2] if len(parts) == 3 else "")
    expected = {
        ("workspaces", 1, ""): "POST",
        ("workspaces", 3, "conversations"): "POST",
        ("workspaces", 3, "messages"): "POST",
        ("tasks", 2, ""): "GET",
    }.get(shape)
    if expected is None or path.endswith("/"):
        raise StatusError(404)
    if method == "OPTIONS":
        return 200, None
    if method != expected:
        raise StatusError(405, Allow=f"{expected}, OPTIONS")
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or token.strip() not in TOKENS:
        raise StatusError(401, WWW_Authenticate="Bearer")
    if len(body) > 2**20:
        raise StatusError(413)
    if shape[0] == "tasks":
        return 200, poll(token.strip(), parts[1], query)
    if shape[1] == 1:
        return 200, make_workspace(token.strip(), read_body(headers, body))
    if shape[2] == "conversations":
        if body:
            read_body(headers, body)
        return 201, open_conversation(token.strip(), parts[1])
    return 202, take_message(token.strip(), parts[1], read_body(headers, body))


class Peer(socketserver.StreamRequestHandler):
    """One connection, kept alive for a minute."""

    timeout = 60
    wbufsize = -1

    def handle(self) -> None:
        connection = h11.Connection(h11.SERVER)
        with contextlib.suppress(ConnectionError, TimeoutError, h11.ProtocolError):
            while connection.our_state is not h11.MUST_CLOSE and self.one(connection):
                if connection.our_state is h11.MUST_CLOSE:
                    return
                connection.start_next_cycle()

    def one(self, connection: h11.Connection) -> bool:
        request, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    self.send(connection, h11.InformationalResponse(status_code=100, headers=[]))
                connection.receive_data(self.request.recv(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data) if len(body) <= 2**24 else b""
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        if request is None:
            return False
        headers = {name.decode(): value.decode("latin-1") for name, value in request.headers}
        more: dict[str, str] = {}
        try:
            status, value = route(request.method.decode(), request.target.decode("latin-1"), headers, body)
        except StatusError as refusal:
            status, value, more = refusal.code, {"code": refusal.code, "error": "refused"}, refusal.headers
        self.reply(connection, status, value, more)
        return True

    def reply(self, connection: h11.Connection, status: int, value: Any, more: dict[str, str]) -> None:
        data = json.dumps(value, ensure_ascii=False, sort_keys=True).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(data)),
            "Cache-Control": "private, no-store",
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "*, Authorization, Content-Type",
            **{name.replace("_", "-"): text for name, text in more.items()},
        }
        self.send(connection, h11.Response(status_code=status, headers=list(headers.items())))
        self.send(connection, h11.Data(data=data))
        self.send(connection, h11.EndOfMessage())
        self.wfile.flush()

    def send(self, connection: h11.Connection, event: h11.Event) -> None:
        self.wfile.write(connection.send(event) or b"")


class Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True


if __name__ == "__main__":
    listener = Listener(("127.0.0.1", int(sys.argv[1])), Peer)
    print("ready", listener.server_address[1], flush=True)
    listener.serve_forever()
