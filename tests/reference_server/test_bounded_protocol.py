"""HTTP as bytes: what no HTTP library would send, and what it would hide."""

from __future__ import annotations

import json
import socket
import time
from urllib.parse import urlsplit

import pytest

from tests.reference_server.conftest import TOKEN, Api, ApiMaker

AUTH = f"Host: localhost:8091\r\nAuthorization: Bearer {TOKEN}\r\n"


def connect(api: Api) -> socket.socket:
    address = urlsplit(api.url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def read_answer(connection: socket.socket) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of one answer, read by its Content-Length and no further."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        assert piece, f"closed after {data!r}"
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    assert len(headers) == len(lines), "a header is repeated"
    while len(body) < int(headers["content-length"]):
        body += connection.recv(65536)
    assert len(body) == int(headers["content-length"])
    return status, headers, body


def exchange(api: Api, request: str | bytes) -> tuple[str, dict[str, str], bytes]:
    with connect(api) as connection:
        connection.sendall(request if isinstance(request, bytes) else request.encode())
        return read_answer(connection)


def test_a_conversation_without_any_body_header_is_answered_and_the_connection_stays(api: Api) -> None:
    api.conversation()
    request = f"POST /api/v1/workspaces/ws1/conversations HTTP/1.1\r\n{AUTH}Accept: */*\r\n\r\n".encode()
    with connect(api) as connection:
        for _ in range(2):
            connection.sendall(request)
            status, _, body = read_answer(connection)
            assert status == "HTTP/1.1 201 Created"
            assert json.loads(body)["conversation_id"]


def test_two_requests_at_once_get_two_answers_in_order(api: Api) -> None:
    poll = f"GET /api/v1/tasks/none HTTP/1.1\r\n{AUTH}\r\n"
    health = f"GET /healthz HTTP/1.1\r\n{AUTH}\r\n"
    with connect(api) as connection:
        connection.sendall((health + poll).encode())
        data = b""
        while b"task_not_found" not in data:
            data += connection.recv(65536)
        assert data.index(b"200 OK") < data.index(b"404 Not Found")


def test_an_idle_connection_outlives_the_pause_between_polls(api: Api) -> None:
    with connect(api) as connection:
        for pause in (0.0, 0.6, 6.0):
            time.sleep(pause)
            connection.sendall(f"GET /healthz HTTP/1.1\r\n{AUTH}\r\n".encode())
            assert read_answer(connection)[0] == "HTTP/1.1 200 OK"


def test_a_client_of_http_1_0_gets_a_whole_answer_and_a_closed_connection(api: Api) -> None:
    task = api.send(api.conversation())
    api.wait(task)
    with connect(api) as connection:
        connection.sendall(f"GET /api/v1/tasks/{task}?from=0 HTTP/1.0\r\n{AUTH}\r\n".encode())
        _, headers, body = read_answer(connection)
        assert "transfer-encoding" not in headers
        assert json.loads(body)["data"]["status"] == "completed"
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
        b"POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nBad Header: 1\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    ],
)
def test_bytes_that_are_not_http_are_400_with_a_json_body(api: Api, request_bytes: bytes) -> None:
    status, headers, body = exchange(api, request_bytes)
    assert status.split()[1] in {"400", "404"}
    assert headers["content-type"] == "application/json; charset=utf-8"
    assert headers["access-control-allow-origin"] == "*"
    assert json.loads(body)["error"]["code"]


@pytest.mark.parametrize(
    "header",
    [
        "Host: [\r\n",
        "Host: \r\n",
        "Host: a\r\nHost: b\r\n",
        "",
        "Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
        "Host: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
        "Host: x\r\nAuthorization: \xff\r\n",
        "Host: x\r\nOrigin: \xff\r\n",
        "Host: x\r\nCookie: " + "a" * 30_000 + "\r\n",
    ],
)
@pytest.mark.parametrize("path", ["/openapi.json", "/api/v1/tasks/none", "/"])
def test_odd_headers_never_make_it_answer_5xx(api: Api, header: str, path: str) -> None:
    status, _, _ = exchange(api, f"GET {path} HTTP/1.1\r\n{header}\r\n".encode("latin-1"))
    assert status.split()[1] in {"200", "400", "401"}


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.1\r\n",
        "HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
        "HTTP/1.0\r\nHost: a\r\nHost: b\r\n",
        "HTTP/1.1\r\nHost: a, b\r\n",
        "HTTP/1.1\r\nHost: [\r\n",
        "HTTP/1.1\r\nHost: a/b\r\n",
        "HTTP/1.1\r\nHost: a:b\r\n",
        "HTTP/1.1\r\nHost: user@a\r\n",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n",
        "HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n",
    ],
)
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_a_head_that_can_be_read_in_two_ways_is_400(api: Api, head: str, method: str) -> None:
    request = f"{method} /api/v1/workspaces {head}Authorization: Bearer {TOKEN}\r\n\r\n0\r\n\r\n"
    status, headers, body = exchange(api, request)
    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["connection"] == "close"
    assert headers["access-control-allow-origin"] == "*"
    assert json.loads(body)["error"]["code"] == "malformed_request"


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.0\r\n",
        "HTTP/1.1\r\nHost:\r\n",
        "HTTP/1.1\r\nHost: LOCALHOST:8091\r\n",
        "HTTP/1.1\r\nHost: my_agent.example:\r\n",
        "HTTP/1.1\r\nHost: [::1]:8091\r\n",
        "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n",
    ],
)
def test_other_ways_to_write_a_right_head(api: Api, head: str) -> None:
    body = "0\r\n\r\n" if "Chunked" in head else ""
    assert exchange(api, f"GET /healthz {head}\r\n{body}")[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize(("coding", "is_taken"), [("gzip", False), ("br, gzip", False), ("identity", True), ("", True)])
def test_a_coded_body_is_415_with_what_would_be_taken(api: Api, coding: str, is_taken: bool) -> None:
    headers = {"content-encoding": coding, "content-type": "application/json"}
    body = b'{"workspace_id":"coded"}'
    answer = api.client.post("/api/v1/workspaces", content=body, headers=headers)
    assert answer.status_code in ({200, 201} if is_taken else {415})
    assert answer.headers.get("accept-encoding") == (None if is_taken else "identity")


def test_a_token_with_odd_spaces_is_not_a_token(api: Api) -> None:
    for value in ("Bearer ", "Bearer\t", f"Bearer {TOKEN},"):
        status, _, _ = exchange(api, f"GET /api/v1/tasks/t HTTP/1.1\r\nHost: x\r\nAuthorization: {value}\r\n\r\n")
        assert status == "HTTP/1.1 401 Unauthorized"


def test_two_authorization_headers_are_none(api: Api) -> None:
    status, _, _ = exchange(api, f"GET /api/v1/tasks/t HTTP/1.1\r\n{AUTH}Authorization: Bearer {TOKEN}\r\n\r\n")
    assert status == "HTTP/1.1 401 Unauthorized"


def test_who_leaves_in_the_middle_of_a_body_harms_nobody_and_is_not_talked_of(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST /api/v1/workspaces HTTP/1.1\r\n{AUTH}Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{{"
    for _ in range(5):
        with connect(api) as connection:
            connection.sendall(head.encode())
    assert api.client.get("/healthz").status_code == 200
    assert caplog.records == []


@pytest.mark.parametrize("interim", [True, False])
def test_100_continue_comes_only_when_asked_for(api: Api, interim: bool) -> None:
    body = b'{"workspace_id":"ws1"}'
    expect = "Expect: 100-continue\r\n" if interim else ""
    headers = f"{AUTH}{expect}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with connect(api) as connection:
        head = f"POST /api/v1/workspaces HTTP/1.1\r\n{headers}\r\n".encode()
        connection.sendall(head + (b"" if interim else body))
        if interim:
            assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(body)
        assert read_answer(connection)[0].startswith("HTTP/1.1 20")


def test_an_answer_of_many_pages_is_whole_and_its_length_is_told_in_advance(make_api: ApiMaker) -> None:
    api = make_api(chunks=9000)
    task = api.send(api.conversation())
    whole = api.wait(task)
    assert len(whole["events"]) == whole["next_offset"] > 9000
    for offset in (0, 1, 1999, 2000, 6999):
        _, _, body = exchange(api, f"GET /api/v1/tasks/{task}?from={offset} HTTP/1.1\r\n{AUTH}\r\n")
        assert json.loads(body)["data"] == {**whole, "events": whole["events"][offset:]}
