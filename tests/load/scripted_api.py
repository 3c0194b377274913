"""A server of the API in a few lines, whose answers are as JSON writes them: for what no right framework would send."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import json
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def serving(event: dict[str, object]) -> Iterator[str]:
    """Serve tasks of three polls, each of which brings this event; the address."""
    ids = itertools.count(1)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            name = {"messages": "task_id", "conversations": "conversation_id"}.get(self.path.rsplit("/", 1)[1])
            self.answer({name or "workspace_id": f"id-{next(ids)}"})

        def do_GET(self) -> None:
            offset = int(self.path.partition("from=")[2])
            status = "completed" if offset >= 2 else "running"
            self.answer({"data": {"status": status, "next_offset": offset + 1, "events": [event]}})

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
