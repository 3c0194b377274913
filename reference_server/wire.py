"""What goes wrong before there is a request: bytes that are not HTTP get an answer like every other refusal."""

from __future__ import annotations

from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from sendpoll.reference_server.responses import error_response


class JsonErrorProtocol(HttpToolsProtocol):
    """uvicorn's HTTP/1.1 protocol, whose own 400 would be plain text that a browser may not read."""

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not read, and close."""
        response = error_response(400, "malformed_request", msg, {"access-control-allow-origin": "*"})
        self.transport.write(_serialised(response))
        self.transport.close()


def _serialised(response: Response) -> bytes:
    lines = [name + b": " + value + b"\r\n" for name, value in response.raw_headers]
    return b"".join([STATUS_LINE[response.status_code], *lines, b"connection: close\r\n\r\n", bytes(response.body)])
