"""The bytes of requests, directly and through a proxy."""

from __future__ import annotations

import base64

import pytest

from sendpoll.core.target.target import Target
from sendpoll.load.http.request import RequestBuilder

TARGET = Target(base_url="http://agent.example:8091/base/", token="secret", headers=(("X-Tenant", "t1"),))
_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_poll_differs_from_the_next_by_its_offset_alone() -> None:
    poll = RequestBuilder(TARGET).poll("task_1")
    lines = poll.at(7).decode().split("\r\n")
    assert lines[0] == "GET /base/api/v1/tasks/task_1?from=7 HTTP/1.1"
    assert {"Host: agent.example:8091", "Authorization: Bearer secret", "X-Tenant: t1"} <= set(lines)
    assert poll.at(7).replace(b"from=7", b"from=8") == poll.at(8)
    assert poll.at(7).endswith(b"\r\n\r\n")


def test_a_task_id_that_a_url_cannot_carry_is_escaped() -> None:
    assert b"/tasks/a%20b?from=0 " in RequestBuilder(TARGET).poll("a b").at(0)


def test_messages_are_raw_utf_8_and_counted_in_bytes() -> None:
    request = RequestBuilder(TARGET, options={"run_mode": "fast"}).send_message("ws", "c1", "你好")
    head, _, body = request.partition(b"\r\n\r\n")
    assert body.decode() == '{"conversation_id":"c1","message":"你好","run_mode":"fast"}'
    assert f"Content-Length: {len(body)}".encode() in head


def test_a_conversation_is_opened_without_a_body() -> None:
    request = RequestBuilder(TARGET).open_conversation("ws")
    assert request.endswith(b"Content-Length: 0\r\n\r\n")
    assert b"Content-Type" not in request


def test_an_ipv6_host_stands_in_brackets() -> None:
    assert b"Host: [::1]:8091\r\n" in RequestBuilder(Target(base_url="http://[::1]:8091")).ensure_workspace("ws")


def test_plain_http_goes_through_a_proxy_with_the_whole_url(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://me:p%40ss@proxy.example:3128")
    request = RequestBuilder(TARGET).poll("t").at(0).decode()
    assert request.startswith("GET http://agent.example:8091/base/api/v1/tasks/t?from=0 HTTP/1.1\r\n")
    assert f"Proxy-Authorization: Basic {base64.b64encode(b'me:p@ss').decode()}\r\n" in request


def test_a_tls_server_is_not_told_the_credentials_of_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://me:pass@proxy.example:3128")
    assert b"Proxy-Authorization" not in RequestBuilder(Target(base_url="https://agent.example")).poll("t").at(0)


def test_a_header_of_the_user_stands_in_the_place_of_our_own() -> None:
    target = Target(base_url="http://h", headers=(("user-agent", "scanner/1"), ("accept", "application/json")))
    lines = RequestBuilder(target).poll("t").at(0).decode().split("\r\n")
    assert [line for line in lines if line.lower().startswith("user-agent:")] == ["user-agent: scanner/1"]
    assert [line for line in lines if line.lower().startswith("accept:")] == ["accept: application/json"]
