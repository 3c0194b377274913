"""A client that says hostile things wherever a client can say anything, to its server and to the person."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from urllib.parse import urlsplit

from tests.hostile.sink import HOSTILE

SAID = HOSTILE.encode("utf-8", "surrogatepass") + b" \xff\xc3( "


def main() -> int:
    """Ask for a few things in words of its own, then print them."""
    line = SAID.replace(b"\n", b" ").replace(b"\r", b" ").replace(b"\0", b"")
    name = line.replace(b" ", b"_")
    ensure = b"POST", b"/api/v1/workspaces"
    opened = b"POST", b"/api/v1/workspaces/" + name + b"/conversations"
    for method, target in (ensure, opened, (b"GET", b"/api/v1/tasks/x?from=" + name), (name[:20], b"/" + name)):
        _ask(method, target, line)
    print(os.environ["SENDPOLL_TOKEN"])
    sys.stdout.flush()
    sys.stdout.buffer.write(SAID)
    sys.stderr.buffer.write(SAID)
    return 1


def _ask(method: bytes, target: bytes, line: bytes) -> None:
    at = urlsplit(os.environ["SENDPOLL_URL"])
    bearer = b"Bearer " + os.environ["SENDPOLL_TOKEN"].encode()
    body = b'{"workspace_id": "%b", "message": "%b"}' % (line, line)
    fields = b"Host: x\r\nAuthorization: %b\r\nUser-Agent: %b\r\nX-Said: %b\r\nContent-Length: %d\r\n\r\n"
    head = b"%b %b HTTP/1.1\r\n" % (method, target) + fields % (bearer, line, line, len(body))
    with contextlib.suppress(OSError), socket.create_connection((at.hostname, at.port), 5) as connection:
        connection.settimeout(5)
        connection.sendall(head + body)
        connection.recv(65536)


if __name__ == "__main__":
    sys.exit(main())
