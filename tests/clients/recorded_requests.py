"""What the real clients send, recorded, against the byte shapes that the suite replays in their name."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace

from sendpoll.conformance.client.serving.messages import Call, ReceivedRequest
from sendpoll.conformance.server.probing.client_profiles import (
    CHROMIUM,
    CURL,
    DART,
    NODE,
    REQUESTS,
    ClientProfile,
    preflight,
)
from sendpoll.core.target.target import Target
from tests.clients.fault import MESSAGE, TOKEN, Fault
from tests.clients.faulty import serving
from tests.clients.runners import Options, run_client

SHAPE_OF: Mapping[str, ClientProfile] = {
    "curl": CURL,
    "python": REQUESTS,
    "node": NODE,
    "browser": CHROMIUM,
    "browser_file": CHROMIUM,
    "dart_http_1_3": DART,
    "dart": DART,
}
_ONLY_NAMED = {"user-agent", "sec-ch-ua", "sec-ch-ua-platform", "accept-language", "origin", "referer"}
"""Headers whose value tells the version, the machine or the page."""
Headers = tuple[tuple[str, str], ...]


@functools.cache
def record(client: str) -> tuple[ReceivedRequest, ...]:
    """Every request of one run against a right server: header names as they were written, in order, and the body."""
    with serving(Fault("", "right", "")) as server:
        run_client(client, server.url, TOKEN, MESSAGE, 120, Options(stop=server.endless))
        return tuple(server.requests)


def differences(client: str, recorded: tuple[ReceivedRequest, ...]) -> Iterator[str]:
    """Where the recording is not what the suite replays, a sentence each."""
    shape = SHAPE_OF[client]
    for request in recorded:
        body, headers = _replayed(client, shape, request)
        if request.body != body:
            yield f"{request.method} {request.path}: the body is {request.body!r}, replayed as {body!r}"
        if _comparable(request.headers) != _comparable(headers):
            yield f"{request.method} {request.path}: the headers are {request.headers}, replayed as {headers}"
    alive = len({request.connection for request in recorded}) < len(recorded)
    if alive != shape.keeps_alive:
        yield f"connections are {'' if alive else 'not '}used again"


def _replayed(client: str, shape: ClientProfile, request: ReceivedRequest) -> tuple[bytes, Headers]:
    """The body and headers that the suite sends for the same call."""
    host = request.header("Host") or ""
    target = Target(base_url=f"http://{host}", token=TOKEN)
    if request.call == "preflight":
        operation = replace(request, method=request.header("Access-Control-Request-Method") or "").call
        return b"", preflight(target, operation, request.target, request.header("Origin") or "").headers
    value = _value(shape, request.call)
    body = shape.body(value) if value else None
    headers = shape.headers(target, request.method, body, TOKEN)
    if client == "browser_file":
        headers = tuple(pair for pair in headers if pair[0] != "Referer")
    if client == "dart":
        headers = tuple(_as_in_current_dart(*pair) for pair in headers)
    return body or b"", headers


def _value(shape: ClientProfile, call: Call) -> dict[str, object]:
    if call == "createWorkspace":
        return {"workspace_id": "ws1"}
    if call != "sendMessage":
        return {}
    limit = {} if shape.max_iterations is None else {"max_iterations": shape.max_iterations}
    return {"conversation_id": "conv-1", "message": MESSAGE, "run_mode": "fast", **limit}


def _as_in_current_dart(name: str, value: str) -> tuple[str, str]:
    """package:http from 1.6 leaves the media type alone, and from 1.7 the case of the caller's header names."""
    name = {"content-type": "Content-Type", "authorization": "Authorization"}.get(name, name)
    return name, value.removesuffix("; charset=utf-8")


def _with_referer(asked: Headers, request: ReceivedRequest) -> Headers:
    names = [name for name, _ in request.headers]
    if "Referer" not in names:
        return asked
    at = names.index("Referer")
    return (*asked[:at], ("Referer", request.header("Referer") or ""), *asked[at:])


def _comparable(headers: Headers) -> list[tuple[str, str]]:
    """Names in order, and values but for what a version or a module beside the client changes."""
    return [
        (name, "" if name.lower() in _ONLY_NAMED else _codings(value) if name.lower() == "accept-encoding" else value)
        for name, value in headers
    ]


def _codings(value: str) -> str:
    """Without what requests adds where a brotli or zstandard module is installed, and browsers by version."""
    return ", ".join(coding for coding in value.split(", ") if coding in {"gzip", "deflate"})
