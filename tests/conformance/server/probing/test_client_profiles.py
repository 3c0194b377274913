"""The bytes of the published clients, against what was recorded of the real ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Request
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import (
    CHROMIUM,
    CURL,
    DART,
    NODE,
    PROFILES,
    REQUESTS,
    ClientProfile,
    preflight,
)
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.core.target.target import Target
from sendpoll.schemas.catalogue import CLIENTS

TARGET = Target()
"""The recordings were made against the address and with the placeholder of the published examples."""
CALLS = {
    "workspaces": "createWorkspace",
    "conversations": "createConversation",
    "messages": "sendMessage",
    "tasks": "pollTask",
}

# Each header as it was recorded: its name, and its value where that is a decision of the client's. Behind a slash, the
# calls that have it; without one, all four do.
RECORDED: dict[str, tuple[str, ...]] = {
    "curl": (
        "Host", "User-Agent", "Accept: */*", "Authorization",
        "Content-Type: application/json /workspaces messages", "Content-Length /workspaces messages",
    ),
    "requests": (
        "Host", "User-Agent", "Accept-Encoding: gzip, deflate", "Accept: */*", "Connection: keep-alive",
        "Authorization", "Content-Type: application/json /workspaces messages",
        "Content-Length /workspaces conversations messages",
    ),
    "node": (
        "host", "connection: keep-alive", "Authorization", "Content-Type: application/json /workspaces messages",
        "accept: */*", "accept-language: *", "sec-fetch-mode: cors", "user-agent: node",
        "accept-encoding: gzip, deflate", "content-length /workspaces conversations messages",
    ),
    "chromium": (
        "Host", "Connection: keep-alive", "Content-Length /workspaces conversations messages", "sec-ch-ua-platform",
        "Authorization", "User-Agent", "sec-ch-ua", "Content-Type: application/json /workspaces messages",
        "sec-ch-ua-mobile: ?0", "Accept: */*", "Origin", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors",
        "Sec-Fetch-Dest: empty", "Referer", "Accept-Encoding: gzip, deflate, br, zstd", "Accept-Language",
    ),
    "dart": (
        "user-agent", "content-type: application/json; charset=utf-8 /workspaces messages", "accept-encoding: gzip",
        "content-length /workspaces conversations messages", "authorization", "host",
    ),
}  # fmt: skip
LONG = "介绍明日方舟:终末地"
ESCAPED = r"\u4ecb\u7ecd\u660e\u65e5\u65b9\u821f:\u7ec8\u672b\u5730"
COMPACT = '{"workspace_id":"ws1"}'
SHORT_MESSAGE = '{"conversation_id":"conv_1","message":"你好","run_mode":"fast"}'
BODIES = {
    "curl": (COMPACT, SHORT_MESSAGE.replace("你好", LONG)),
    "requests": (
        '{"workspace_id": "ws1"}',
        f'{{"conversation_id": "conv_1", "message": "{ESCAPED}", "run_mode": "fast", "max_iterations": 100}}',
    ),
    "node": (COMPACT, SHORT_MESSAGE),
    "chromium": (COMPACT, SHORT_MESSAGE),
    "dart": (COMPACT, SHORT_MESSAGE),
}


def call(shape: ClientProfile, path: str) -> Request:
    api = Api(Recorder(TARGET), shape)
    values = {"workspace_id": "ws1", "task_id": "task_1"}
    if path == "workspaces":
        return api.request("createWorkspace", body={"workspace_id": "ws1"})
    if path == "messages":
        return api.request(
            "sendMessage", values, body=api.message_body("conv_1", LONG if shape in {CURL, REQUESTS} else "你好")
        )
    return api.request(CALLS[path], values, query="from=0" if path == "tasks" else "")


def recorded_headers(name: str, path: str) -> list[tuple[str, str | None]]:
    found = []
    for line in RECORDED[name]:
        told, _, calls = line.partition(" /")
        if not calls or path in calls.split():
            header, _, value = told.partition(": ")
            found.append((header, value or None))
    return found


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("shape", PROFILES, ids=lambda shape: shape.name)
def test_headers_are_those_that_were_recorded(shape: ClientProfile, path: str) -> None:
    """Names, their order and case, and what a client decided of their values."""
    expected = recorded_headers(shape.name, path)
    sent = call(shape, path).headers
    assert [name for name, _ in sent] == [name for name, _ in expected]
    for (name, value), (_, decided) in zip(sent, expected, strict=True):
        assert decided is None or value == decided, name


@pytest.mark.parametrize("shape", PROFILES, ids=lambda shape: shape.name)
def test_bodies_are_those_that_were_recorded(shape: ClientProfile) -> None:
    ensured, sent = BODIES[shape.name]
    assert call(shape, "workspaces").body == ensured.encode()
    assert call(shape, "messages").body == sent.encode()
    assert call(shape, "conversations").body is None
    assert call(shape, "tasks").body is None


@pytest.mark.parametrize(
    ("shape", "lengths"),
    [
        (CURL, ["22", None, "87"]),
        (REQUESTS, ["23", "0", "142"]),
        (NODE, ["22", "0", "65"]),
        (CHROMIUM, ["22", "0", "65"]),
        (DART, ["22", "0", "65"]),
    ],
)
def test_lengths_are_those_that_were_recorded(shape: ClientProfile, lengths: list[str | None]) -> None:
    told = [call(shape, path).header("content-length") for path in ("workspaces", "conversations", "messages")]
    assert told == lengths


@pytest.mark.parametrize("shape", PROFILES, ids=lambda shape: shape.name)
def test_the_first_poll_to_the_byte(shape: ClientProfile) -> None:
    raw = call(shape, "tasks").head_bytes("")
    assert raw.startswith(b"GET /api/v1/tasks/task_1?from=0 HTTP/1.1\r\n")
    assert raw.endswith(b"\r\n\r\n")
    lines = raw.lower().split(b"\r\n")
    assert b"authorization: bearer <token>" in lines
    assert b"host: localhost:8091" in lines


def test_every_client_has_one_shape() -> None:
    assert {shape.letter for shape in PROFILES} == set(CLIENTS)
    assert len(PROFILES) == len(CLIENTS)


def test_who_keeps_connections() -> None:
    assert {shape.name for shape in PROFILES if shape.keeps_alive} == {"node", "chromium"}


@pytest.mark.parametrize(
    ("path", "method", "names"),
    [
        ("workspaces", "POST", "authorization,content-type"),
        ("conversations", "POST", "authorization"),
        ("messages", "POST", "authorization,content-type"),
        ("tasks", "GET", "authorization"),
    ],
)
@pytest.mark.parametrize("origin", ["http://127.0.0.1:46015", "null"])
def test_a_preflight_is_what_was_recorded(path: str, method: str, names: str, origin: str) -> None:
    request = preflight(TARGET, CALLS[path], "/x", origin)
    assert (request.method, request.target, request.body) == ("OPTIONS", "/x", None)
    expected = [
        "Host",
        "Connection",
        "Accept",
        "Access-Control-Request-Method",
        "Access-Control-Request-Headers",
        "Origin",
    ]
    expected += ["User-Agent", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-Fetch-Dest"]
    expected += [] if origin == "null" else ["Referer"]
    expected += ["Accept-Encoding", "Accept-Language"]
    assert [name for name, _ in request.headers] == expected
    assert request.header("access-control-request-method") == method
    assert request.header("access-control-request-headers") == names
    assert request.header("origin") == origin
    assert request.header("authorization") is None


def test_extra_headers_stand_behind_a_clients_own() -> None:
    target = Target(headers=(("X-Team", "a"), ("X-Trace", "b")))
    for shape in PROFILES:
        headers = shape.headers(target, "GET", None, "t")
        assert headers[-2:] == (("X-Team", "a"), ("X-Trace", "b"))
        assert headers[:-2] == shape.headers(TARGET, "GET", None, "t")


def test_without_a_token_only_authorization_is_missing() -> None:
    for shape in PROFILES:
        whole = shape.headers(TARGET, "POST", b"{}", "t")
        bare = shape.headers(TARGET, "POST", b"{}", None)
        assert [pair for pair in whole if pair[0].lower() != "authorization"] == list(bare)


@pytest.mark.parametrize("token", ["{host}", "a{b}c", "%s", "{"])
def test_a_token_is_sent_as_it_is(token: str) -> None:
    for shape in PROFILES:
        assert f"Bearer {token}" in [value for _, value in shape.headers(TARGET, "GET", None, token)]


def test_a_lone_surrogate_can_be_sent_back() -> None:
    """A conversation id of a server may hold one."""
    for shape in PROFILES:
        assert shape.body({"conversation_id": "\ud83d"})


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_header_of_the_user_is_sent_once_in_place_of_the_clients_own(profile: ClientProfile) -> None:
    target = Target(headers=(("User-Agent", "scanner/1"), ("Accept", "text/x"), ("X-Mine", "m")))
    sent = [(name.lower(), value) for name, value in profile.headers(target, "GET", None, "t")]
    assert len(dict(sent)) == len(sent)
    assert {("user-agent", "scanner/1"), ("accept", "text/x"), ("x-mine", "m")} <= set(sent)


def test_a_browser_comes_from_the_page_that_the_target_names() -> None:
    target = Target(origin="https://app.example")
    for profile in (CHROMIUM, replace(CHROMIUM, origin="null")):
        sent = dict(profile.headers(target, "GET", None, "t"))
        assert (sent["Origin"], sent["Referer"]) == ("https://app.example", "https://app.example/")
    assert "origin" not in {name.lower() for name, _ in NODE.headers(target, "GET", None, "t")}
