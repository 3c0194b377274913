"""Bare sockets: bodies without a length that end with the connection, ids with signs, one message at a time."""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
from typing import Any
from urllib.parse import unquote_to_bytes

TOKENS = set(sys.argv[2:])
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")
spaces: set[tuple[str, str]] = set()
talks: dict[str, dict[str, Any]] = {}
tasks: dict[str, dict[str, Any]] = {}
big_lock = threading.RLock()


def receive(peer: socket.socket) -> tuple[str, str, dict[str, str], bytes] | None:
    data = b""
    while b"\r\n\r\n" not in data:
        part = peer.recv(65536)
        data += part
        if not part or len(data) > 100_000:
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    length = int(headers.get("content-length") or 0)
    while len(body) < length:
        part = peer.recv(65536)
        if not part:
            return None
        body += part
    return method, target, headers, body


def send(peer: socket.socket, status: int, value: Any, extra: str = "") -> None:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8")
    peer.sendall(
        f"HTTP/1.1 {status} \r\nConnection: close\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Cache-Control: no-store\r\nExpires: 0\r\nAccess-Control-Allow-Origin: *\r\n"
        f"Access-Control-Allow-Headers: authorization,content-type\r\nX-Note: caf\xe9\r\n{extra}\r\n".encode("latin-1")
    )
    # In two pieces with a pause, the first of which may end inside a character.
    middle = len(body) // 2
    peer.sendall(body[:middle])
    time.sleep(0.002)
    peer.sendall(body[middle:])
    peer.shutdown(socket.SHUT_WR)
    peer.settimeout(2)
    while peer.recv(65536):
        pass


def converse(peer: socket.socket) -> None:
    with peer:
        peer.settimeout(30)
        try:
            heard = receive(peer)
            if heard is not None:
                send(peer, *decide(*heard))
        except (OSError, ValueError):
            return


class Refusal(Exception):  # noqa: N818 - it is an answer
    def __init__(self, status: int, why: str, extra: str = "") -> None:
        super().__init__(why)
        self.answer = (status, {"error": why}, extra)


def decide(method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, Any, str]:
    raw, _, query = target.partition("?")
    try:
        kind, argument = place(method, unquote_to_bytes(raw).decode("utf-8", "replace"))
        if method == "OPTIONS":
            return 200, {}, ""
        owner = identify(headers)
        if kind == "task":
            return *poll(owner, argument, query), ""
        if kind == "talk" and not body:
            return *talk(owner, argument), ""
        value = understand(headers, body)
    except Refusal as refusal:
        return refusal.answer
    if kind == "talk":
        return *talk(owner, argument), ""
    return *(space(owner, value) if kind == "space" else message(owner, argument, value)), ""


def place(method: str, path: str) -> tuple[str, str]:
    """Which of the four calls it is, and the name in its path."""
    patterns = {
        "space": ("POST", "/api/v1/workspaces()"),
        "talk": ("POST", "/api/v1/workspaces/([^/]*)/conversations"),
        "message": ("POST", "/api/v1/workspaces/([^/]*)/messages"),
        "task": ("GET", "/api/v1/tasks/(.+)"),
    }
    for kind, (verb, pattern) in patterns.items():
        match = re.fullmatch(pattern, path)
        if match and method in (verb, "OPTIONS"):
            return kind, match.group(1)
        if match:
            raise Refusal(405, "This is not done here.", f"Allow: {verb}\r\n")
    raise Refusal(404, "This is not a place.")


def identify(headers: dict[str, str]) -> str:
    words = headers.get("authorization", "").split(" ")
    if len(words) != 2 or words[0].lower() != "bearer" or words[1] not in TOKENS:
        raise Refusal(401, "I do not know you.", "WWW-Authenticate: Bearer\r\n")
    return words[1]


def understand(headers: dict[str, str], body: bytes) -> dict[str, Any]:
    if len(body) > 1_000_000:
        raise Refusal(413, "This is too much.")
    if not headers.get("content-type", "").lower().startswith("application/json"):
        raise Refusal(415, "I read JSON.")
    try:
        value = json.loads(body.decode())
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refusal(400, "This is not JSON.") from None
    if not isinstance(value, dict):
        raise Refusal(422, "This is not an object.")
    return value


def space(owner: str, value: dict[str, Any]) -> tuple[int, Any]:
    wanted = value.get("workspace_id")
    if not isinstance(wanted, str) or not NAME.fullmatch(wanted):
        return 422, {"error": "This is not a name."}
    spaces.add((owner, wanted))
    return 206, 1


def talk(owner: str, where: str) -> tuple[int, Any]:
    if (owner, where) not in spaces:
        return 404, {"error": "There is no such workspace."}
    with big_lock:
        key = f"talk/{len(talks) + 1}"
        talks[key] = {"owner": owner, "where": where, "task": None}
    return 200, {"conversation_id": key}


def message(owner: str, where: str, value: dict[str, Any]) -> tuple[int, Any]:
    text, key, mode = value.get("message"), value.get("conversation_id"), value.get("run_mode", "")
    if not isinstance(text, str) or not isinstance(key, str) or key == "" or not isinstance(mode, str):
        return 422, {"error": "I need a conversation and a message."}
    most = value.get("max_iterations", 1)
    if isinstance(most, bool) or not isinstance(most, int | float) or most < 1 or most != int(most):
        return 422, {"error": "This is not a number of iterations."}
    with big_lock:
        found = talks.get(key)
        if found is None or (found["owner"], found["where"]) != (owner, where):
            return 404, {"error": "There is no such conversation."}
        before = found["task"]
        if before is not None and before["status"] == "running":
            return 409, {"error": "I am still answering; ask again when that task has ended."}
        name = f"job;{len(tasks) + 1}@talk|{key.rpartition('/')[2]},a=b"
        found["task"] = tasks[name] = {"owner": owner, "status": "running", "events": []}
        threading.Thread(target=run, args=(tasks[name], text), daemon=True).start()
    return 202, {"task_id": name}


def run(task: dict[str, Any], text: str) -> None:
    pieces = re.findall(r"(?s).{1,6}", text)
    for piece in ("<<", *pieces, ">>"):
        time.sleep(min(0.04, 2 / (len(pieces) + 2)))
        with big_lock:
            task["events"] += [{"type": "text_chunk", "data": {"content": piece}}, {"type": None, "data": "\u2028"}]
    with big_lock:
        task["status"] = ""


def poll(owner: str, name: str, query: str) -> tuple[int, Any]:
    with big_lock:
        task = tasks.get(name)
        if task is None or task["owner"] != owner:
            return 404, {"error": "There is no such task."}
        asked = [pair[5:] for pair in query.split("&") if pair.startswith("from=")] or ["0"]
        if len(asked) > 1 or not re.fullmatch("[0-9]{1,8}", asked[0]) or int(asked[0]) > len(task["events"]):
            return 400, {"error": "This is not an offset of this task."}
        events = task["events"][int(asked[0]) :]
        return 200, {"data": {"status": task["status"], "events": events, "next_offset": len(task["events"])}}


def main() -> None:
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128) as listener:
        print("ready", listener.getsockname()[1], flush=True)
        while True:
            peer, _ = listener.accept()
            threading.Thread(target=converse, args=(peer,), daemon=True).start()


if __name__ == "__main__":
    main()
