"""A reverse proxy that records what passes through it, as any proxy would: no framing, all else."""

from __future__ import annotations

import http.client
import http.server
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from sendpoll.conformance.http.exchange import Failure, Response, Timing
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange

_HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})


@contextmanager
def recording_proxy(upstream: str) -> Iterator[tuple[str, list[RecordedExchange]]]:
    """Its URL, and what it has recorded, in the order of the answers."""
    found: list[RecordedExchange] = []
    there = urlsplit(upstream)

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            started = time.time()
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
            headers = tuple(self.headers.items())
            response, failure = None, None
            wire = http.client.HTTPConnection(there.hostname or "", there.port, timeout=35)
            try:
                passed = {name: value for name, value in headers if name.lower() not in _HOP}
                wire.request(self.command, self.path, body, passed)
                answer = wire.getresponse()
                response = Response(
                    status=answer.status,
                    reason=answer.reason,
                    version="1.1",
                    headers=tuple(answer.getheaders()),
                    body=answer.read(),
                    complete=True,
                )
            except (OSError, http.client.HTTPException):
                failure = Failure.CLOSED
            finally:
                wire.close()
            finished = time.time()
            found.append(
                RecordedExchange(
                    url=f"{upstream}{self.path}",
                    method=self.command,
                    request_headers=headers,
                    request_body=body,
                    response=response,
                    failure=failure,
                    timing=Timing(started, started, finished, finished, finished - started),
                    lacks=frozenset({Facet.FRAMING}),
                )
            )
            if response is None:
                self.close_connection = True
                return
            self.send_response_only(response.status)
            for name, value in response.headers:
                if name.lower() not in {*_HOP, "content-length"}:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        do_GET = do_POST = do_OPTIONS = handle_any  # noqa: N815 - the names are the base class's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
