"""A server that gives a token back wherever it can: in bodies, headers, ids and errors, in every spelling."""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

TOKEN = "kNr7/Zq+3vXw=Tb9<mLs&2Hd\"Pc'4Gf"
"""Each character that some encoding escapes, and no word that a report has of its own."""
SECOND = "Qy8.Wn5-Jt6_Rk1~Vb0-Xe3.Dz7"


def spellings(token: str) -> dict[str, str]:
    """The forms in which the server says it."""
    raw = token.encode()
    return {
        "raw": token,
        "percent": quote(token, safe=""),
        "percent_lower": "".join(f"%{byte:02x}" for byte in raw),
        "base64": base64.b64encode(raw).decode(),
        "base64_1": base64.b64encode(b"x" + raw).decode(),
        "base64_2": base64.urlsafe_b64encode(b"xy" + raw).decode(),
        "basic": base64.b64encode(b"user:" + raw).decode(),
        "hex": raw.hex(),
        "long": "." * 4080 + token,
        "cut": f"{'.' * 40}{token}{'.' * 40}",
    }


@dataclass
class Canary:
    """Where it listens, and what reached the place that it redirects to."""

    url: str = ""
    stolen: list[str] = field(default_factory=list)
    """Authorization headers that came to the other origin."""
    seen: set[str] = field(default_factory=set)
    """Authorization headers that came here."""


@contextlib.contextmanager
def canary() -> Iterator[Canary]:
    """Serve both origins."""
    state = Canary()

    class Thief(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.stolen.append(self.headers.get("Authorization", ""))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with _served(Thief) as elsewhere:
        handler = type("Handler", (_Handler,), {"state": state, "elsewhere": elsewhere})
        with _served(handler) as url:
            state.url = url
            yield state


@contextlib.contextmanager
def _served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    """The API, as far as a run gets with it. A subclass says whose state it keeps."""

    state: Canary
    elsewhere: str
    numbers = itertools.count(1)
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/conversations"):
            self.say({"conversation_id": f"c-{TOKEN}-{next(self.numbers)}"})
        elif self.path.endswith("/messages"):
            ok = b'"message"' in body and body.startswith(b"{")
            self.say({"task_id": f"t-{quote(TOKEN, safe='')}-{next(self.numbers)}"}) if ok else self.refuse(500)
        else:
            self.say({"workspace": spellings(TOKEN)})

    def do_GET(self) -> None:
        if self.path.startswith("/api/v1/tasks/?"):
            self.say({}, 302, Location=f"{self.elsewhere}/taken?by={quote(TOKEN, safe='')}")
        elif not self.path.startswith("/api/v1/tasks/t-"):
            self.refuse(404)
        elif self.path.endswith(("from=0", "?")):
            texts = {**spellings(TOKEN), **{f"second_{k}": v for k, v in spellings(SECOND).items()}}
            events: list[Any] = [{"type": "text_chunk", "data": {"content": text}} for text in texts.values()]
            self.say({"data": {"status": f"done {TOKEN}", "next_offset": 7, "events": events}})
        else:
            self.say({"data": {"status": f"done {TOKEN}", "next_offset": f"7{TOKEN}", "events": None}})

    def do_OPTIONS(self) -> None:
        self.refuse(403)

    def do_PUT(self) -> None:
        self.refuse(405)

    def refuse(self, status: int) -> None:
        self.send(f"Not with the token {TOKEN}, {SECOND} or {quote(TOKEN)}".encode(), status, "text/plain")

    def say(self, value: Any, status: int = 200, **more: str) -> None:
        self.send(json.dumps(value).encode(), status, "application/json; charset=utf8", **more)

    def send(self, body: bytes, status: int, media: str, **more: str) -> None:
        self.state.seen.add(self.headers.get("Authorization", ""))
        self.send_response(status, f"Answer to {TOKEN}")
        for name, value in {"Content-Type": media, "Content-Length": str(len(body)), **more}.items():
            self.send_header(name, value)
        for name, value in spellings(TOKEN).items():
            self.send_header(f"X-Echo-{name}", value[-200:])
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass
