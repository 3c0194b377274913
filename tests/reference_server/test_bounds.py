"""What one connection without a token may cost: bytes that never end, and requests whose answers nobody reads."""

from __future__ import annotations

import contextlib
import gc
import itertools
import json
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from sendpoll.reference_server import bounded_protocol
from sendpoll.reference_server.embedded import running_app, start_child, stop_child
from sendpoll.reference_server.responses import json_response
from sendpoll.reference_server.settings import Settings
from tests.reference_server.conftest import TOKEN, Api
from tests.reference_server.test_bounded_protocol import AUTH, connect, read_answer

SENT = 64 * 1024 * 1024
MOST_ADDED = 16 * 1024 * 1024
HEAD = f"HTTP/1.1\r\n{AUTH}"


@dataclass(frozen=True)
class Child:
    address: tuple[str, int]
    process: psutil.Process

    @property
    def resident(self) -> int:
        size: int = self.process.memory_info().rss
        return size

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=20)


@pytest.fixture(name="child", scope="module")
def _child() -> Iterator[Child]:
    process, url = start_child(Settings(tokens=(TOKEN,), port=0))
    parts = urlsplit(url)
    try:
        yield Child((parts.hostname or "", parts.port or 0), psutil.Process(process.pid))
    finally:
        stop_child(process)


def flood(connection: socket.socket, start: bytes, piece: bytes, seconds: float = 1.0) -> None:
    """Send pieces until the server has taken none for so long, and never read."""
    connection.settimeout(seconds)
    sent = 0
    with contextlib.suppress(TimeoutError, ConnectionError):
        connection.sendall(start)
        while sent < SENT:
            sent += connection.send(piece)


CHUNKED = f"POST /api/v1/workspaces {HEAD}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
NO_TOKEN = "POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\n"
KILOBYTES = 64 * 1024


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        pytest.param("GET /", b"a" * KILOBYTES, id="target"),
        pytest.param("GET /healthz HTTP/1.1\r\n", b"a" * KILOBYTES, id="name of a header"),
        pytest.param("GET /healthz HTTP/1.1\r\nX: ", b"a" * KILOBYTES, id="value of a header"),
        pytest.param("GET /healthz HTTP/1.1\r\n", b"A: b\r\n" * 10_000, id="headers"),
        pytest.param("", b"\r\n" * 30_000, id="empty lines"),
        pytest.param(f"{CHUNKED}5;", b"a" * KILOBYTES, id="extension of a chunk"),
        pytest.param(f"{CHUNKED}0\r\nX: ", b"a" * KILOBYTES, id="value of a trailer"),
        pytest.param(f"{CHUNKED}0\r\n", b"A: b\r\n" * 10_000, id="trailers"),
        pytest.param(f"{NO_TOKEN}Content-Length: 99999999999\r\n\r\n", b"a" * KILOBYTES, id="body"),
        pytest.param(f"{NO_TOKEN}Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n" * 10_000, id="chunks"),
        pytest.param("", b"GET / HTTP/1.1\r\nHost:\r\n\r\n" * 2000, id="requests for a page"),
        pytest.param("", b"GET /api/v1/tasks/t HTTP/1.1\r\nHost:\r\n\r\n" * 2000, id="requests without a token"),
        pytest.param("", f"GET /openapi.json {HEAD}\r\n".encode() * 1000, id="requests with a token"),
        pytest.param(
            "",
            f"POST /api/v1/workspaces {HEAD}Content-Type: application/json\r\n"
            'Content-Length: 20\r\n\r\n{"workspace_id":"w"}'.encode()
            * 500,
            id="requests with a body",
        ),
    ],
)
def test_what_never_ends_is_not_held(child: Child, start: str, piece: bytes) -> None:
    before = child.resident
    with child.connect() as connection:
        flood(connection, start.encode(), piece)
        added = child.resident - before
    assert added < MOST_ADDED
    with child.connect() as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(connection)[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 100_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 1000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 256 + b"\r\n", 431),
    ],
)
def test_a_head_that_is_too_large_is_refused_with_its_reason(api: Api, request_bytes: bytes, status: int) -> None:
    with connect(api) as connection:
        connection.sendall(request_bytes)
        line, headers, body = read_answer(connection)
        assert line.split()[1] == str(status)
        assert headers["connection"] == "close"
        assert headers["access-control-allow-origin"] == "*"
        assert json.loads(body)["error"]["message"]
        assert connection.recv(1) == b""


def test_a_thousand_requests_at_once_are_answered_in_order(api: Api) -> None:
    paths = ["/healthz", "/api/v1/tasks/none", "/nowhere", "/"]
    with connect(api) as connection:
        connection.sendall("".join(f"GET {path} {HEAD}\r\n" for path in paths * 250).encode())
        statuses, rest = [], b""
        for _ in range(1000):
            (status, headers, _), rest = read_one(connection, rest)
            statuses.append((status.split()[1], headers["content-type"].partition(";")[0]))
    kinds = [
        ("200", "application/json"),
        ("404", "application/json"),
        ("404", "application/json"),
        ("200", "text/html"),
    ]
    assert statuses == kinds * 250


def read_one(connection: socket.socket, data: bytes) -> tuple[tuple[str, dict[str, str], bytes], bytes]:
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers["content-length"])
    while len(rest) < length:
        rest += connection.recv(65536)
    return (status, headers, rest[:length]), rest[length:]


def test_bodies_behind_one_another_are_each_read_whole(api: Api) -> None:
    names = [f"{letter}{'x' * size}" for letter, size in zip("abcdefgh", itertools.cycle((0, 10, 60)), strict=False)]
    more = '"' + "y" * 5000 + '"'
    requests = []
    for name in names:
        body = f'{{"workspace_id":"{name}","more":{more}}}'
        requests.append(f"POST /api/v1/workspaces {HEAD}Content-Type: application/json\r\n"
                        f"Content-Length: {len(body)}\r\n\r\n{body}")  # fmt: skip
    with connect(api) as connection:
        connection.sendall("".join(requests).encode())
        rest = b""
        for name in names:
            (status, _, body_read), rest = read_one(connection, rest)
            assert status.startswith("HTTP/1.1 20")
            assert json.loads(body_read) == {"workspace_id": name}


@pytest.mark.parametrize(
    ("behind", "answers"),
    [
        ("nonsense\r\n\r\n", ["200", "400"]),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", ["200", "400"]),
        (f"POST /api/v1/workspaces {HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n", ["200", "400"]),
        (f"GET /nowhere {HEAD}\r\nnonsense\r\n\r\n", ["200", "404", "400"]),
    ],
)
def test_a_refusal_comes_after_the_answers_to_what_came_before_it(api: Api, behind: str, answers: list[str]) -> None:
    with connect(api) as connection:
        connection.sendall(f"GET /healthz {HEAD}\r\n{behind}".encode())
        seen, rest = [], b""
        for _ in answers:
            (status, _, _), rest = read_one(connection, rest)
            seen.append(status.split()[1])
        assert (seen, rest, connection.recv(1)) == (answers, b"", b"")


def test_a_body_that_breaks_is_refused_once(api: Api) -> None:
    with connect(api) as connection:
        connection.sendall(CHUNKED.encode() + b"2\r\n{}\r\n")
        time.sleep(0.1)  # so that the server waits for more of the body; sooner it is the case above
        connection.sendall(b"zz\r\n")
        status, _, body = read_answer(connection)
        assert (status.split()[1], json.loads(body)["error"]["code"]) == ("400", "malformed_request")
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    ("sent", "status"), [(b"", None), (b"\r\n", "408"), (b"GET /healthz HTTP/1.1\r\nHost:", "408")]
)
def test_a_head_that_does_not_come_is_not_waited_for(
    api: Api, monkeypatch: pytest.MonkeyPatch, sent: bytes, status: str | None
) -> None:
    monkeypatch.setattr(bounded_protocol, "HEAD_SECONDS", 0.1)
    with connect(api) as connection:
        connection.sendall(sent)
        if status:
            assert read_answer(connection)[0].split()[1] == status
        assert connection.recv(1) == b""


def test_answers_that_nobody_reads_are_not_kept_for_ever(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bounded_protocol, "STALL_SECONDS", 0.1)
    with connect(api) as connection:
        flood(connection, b"", f"GET /openapi.json {HEAD}\r\n".encode() * 1000)
        connection.settimeout(20)
        with contextlib.suppress(ConnectionError):
            while connection.recv(65536):
                pass
    assert api.client.get("/healthz").status_code == 200
    assert caplog.records == []


def test_who_leaves_with_many_requests_open_is_not_talked_of(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        with connect(api) as connection:
            flood(connection, b"", f"GET /openapi.json {HEAD}\r\n".encode() * 100, seconds=0.05)
    assert api.client.get("/healthz").status_code == 200
    assert caplog.records == []


def test_a_connection_that_was_reset_is_not_held_by_its_timers(api: Api) -> None:
    """Each held its buffers until the time was up that an idle connection is kept for."""

    def held() -> int:
        gc.collect()
        return sum(isinstance(one, bounded_protocol.BoundedProtocol) for one in gc.get_objects())

    before = held()
    for _ in range(20):
        with connect(api) as connection:
            connection.sendall(f"GET /healthz {HEAD}\r\n".encode())
            read_answer(connection)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    patience = time.monotonic() + 20
    while held() > before and time.monotonic() < patience:
        time.sleep(0.05)
    assert held() <= before


def test_trailers_do_not_change_the_request() -> None:
    async def echo(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
            return
        request = Request(scope, receive)
        body = await request.body()
        headers = [name.decode() for name, _ in scope["headers"]]
        await json_response(200, {"body": body.decode(), "headers": headers})(scope, receive, send)

    request = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-More: 1\r\n\r\n"
    with (
        running_app(echo, Settings(tokens=("t",), port=0)) as url,
        httpx.Client() as client,
        connect(Api(url, client)) as connection,
    ):
        connection.sendall(request.encode())
        assert json.loads(read_answer(connection)[2]) == {"body": "hi", "headers": ["host", "transfer-encoding"]}
