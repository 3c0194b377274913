"""The page at `/`: a person sends a message and watches the answer arrive, through the API itself."""

from __future__ import annotations

import importlib.resources

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FILES = {
    "/": ("console.html", "text/html; charset=utf-8"),
    "/console.css": ("console.css", "text/css; charset=utf-8"),
    "/console.js": ("console.js", "text/javascript; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
# The page shows text that a model wrote; nothing but its own two files may run or be loaded.
_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def console_routes() -> list[Route]:
    """A route for each file of the page."""
    folder = importlib.resources.files("sendpoll.reference_server").joinpath("page")
    return [_route(path, folder.joinpath(name).read_bytes(), media_type) for path, (name, media_type) in _FILES.items()]


def _route(path: str, content: bytes, media_type: str) -> Route:
    async def serve(_request: Request) -> Response:
        return Response(content, headers={**_HEADERS, "content-type": media_type})

    return Route(path, serve, methods=["GET"])
