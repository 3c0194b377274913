"""CORS, as the Fetch standard wants it: browsers may call the API from any page, or from the listed origins.

It wraps everything, errors included: a browser shows a page nothing of an answer without Access-Control-Allow-Origin,
not even that it was a 401.
"""

from __future__ import annotations

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

RawHeaders = list[tuple[bytes, bytes]]

# `authorization` by name: the standard does not count it among what `*` covers.
_PREFLIGHT: RawHeaders = [
    (b"access-control-allow-methods", b"GET, HEAD, POST, OPTIONS"),
    (b"access-control-allow-headers", b"authorization, content-type"),
    (b"access-control-max-age", b"600"),
    (b"cache-control", b"no-store"),
]
_EXPOSED = (b"access-control-expose-headers", b"www-authenticate, allow, retry-after")


class Cors:
    """Answers every OPTIONS request, and puts one Access-Control-Allow-Origin on every other answer."""

    def __init__(self, app: ASGIApp, origins: Iterable[str]) -> None:
        self._app = app
        self._headers = CorsHeaders(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        own = self._headers.of(scope["headers"])
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": own + _PREFLIGHT})
            await send({"type": "http.response.body"})
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *own]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class CorsHeaders:
    """The headers that a request's origin gets."""

    def __init__(self, origins: Iterable[str]) -> None:
        self._origins = frozenset(origin.encode("latin-1", "replace") for origin in origins)
        self._any: RawHeaders = [(b"access-control-allow-origin", b"*"), _EXPOSED]

    def of(self, request_headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
        """Those of an answer to a request with these headers."""
        if b"*" in self._origins:
            return self._any
        origin = next((value for name, value in request_headers if name == b"origin"), b"")
        # The answer depends on the origin, so a cache must keep the answers apart.
        vary = (b"vary", b"origin")
        return [(b"access-control-allow-origin", origin), _EXPOSED, vary] if origin in self._origins else [vary]
