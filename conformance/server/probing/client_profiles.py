"""What each published client sends, to the byte, for each of the four calls.

An HTTP library would send all of them in one form, its own. These are the recorded forms: the order and the case of the
header names, what is left out, and how JSON is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sendpoll.conformance.http.exchange import Intent, Request
from sendpoll.core.target.headers import with_own
from sendpoll.core.target.target import Target
from sendpoll.schemas.endpoints import endpoints

_When = Literal["always", "json", "length", "browser", "page"]
_Template = tuple[tuple[str, str, _When], ...]


@dataclass(frozen=True, slots=True)
class ClientProfile:
    """The bytes of one client."""

    name: str
    letter: str
    """The client in the catalogue's `breaks`."""
    template: _Template
    """Header name, value with {host}, {token} and {length} in it, and when it is sent: always, with a JSON body, with
    the length of any body that is told (`length`), across origins (`browser`), from a page that is no file (`page`)."""
    escapes: bool
    """Whether JSON text beyond ASCII is written as escapes."""
    tells_empty_body: bool
    """Whether a POST without a body says Content-Length: 0."""
    keeps_alive: bool
    """Whether it uses a connection again."""
    max_iterations: int | None = None
    body_apart: bool = False
    """Whether it sends the body in a packet of its own."""
    origin: str | None = None
    """The page that a browser's requests come from, where the target does not say which page calls it."""

    def body(self, value: Mapping[str, Any]) -> bytes:
        """A JSON body as this client writes it."""
        if self.escapes:
            return json.dumps(value).encode()
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")

    def headers(
        self, target: Target, method: str, body: bytes | None, token: str | None
    ) -> tuple[tuple[str, str], ...]:
        """The headers of one request in this client's order; without Authorization where there is no token."""
        length = len(body or b"")
        origin = self.origin and (target.origin or self.origin)
        told = method == "POST" and (body is not None or self.tells_empty_body)
        present: dict[_When, bool] = {
            "always": True,
            "json": body is not None,
            "length": told,
            "browser": origin is not None,
            "page": origin not in {None, "null"},
        }
        values = {"host": target.url.netloc, "token": token or "", "length": str(length), "origin": origin or ""}
        own = [
            (name, value.format_map(values))
            for name, value, when in self.template
            if present[when] and not (token is None and name.lower() == "authorization")
        ]
        return with_own(tuple(own), target.headers)


_CURL: _Template = (
    ("Host", "{host}", "always"),
    ("User-Agent", "curl/7.88.1", "always"),
    ("Accept", "*/*", "always"),
    ("Authorization", "Bearer {token}", "always"),
    ("Content-Type", "application/json", "json"),
    ("Content-Length", "{length}", "length"),
)
_REQUESTS: _Template = (
    ("Host", "{host}", "always"),
    ("User-Agent", "python-requests/2.34.2", "always"),
    ("Accept-Encoding", "gzip, deflate", "always"),
    ("Accept", "*/*", "always"),
    ("Connection", "keep-alive", "always"),
    ("Authorization", "Bearer {token}", "always"),
    ("Content-Type", "application/json", "json"),
    ("Content-Length", "{length}", "length"),
)
_NODE: _Template = (
    ("host", "{host}", "always"),
    ("connection", "keep-alive", "always"),
    ("Authorization", "Bearer {token}", "always"),
    ("Content-Type", "application/json", "json"),
    ("accept", "*/*", "always"),
    ("accept-language", "*", "always"),
    ("sec-fetch-mode", "cors", "always"),
    ("user-agent", "node", "always"),
    ("accept-encoding", "gzip, deflate", "always"),
    ("content-length", "{length}", "length"),
)
_CHROMIUM: _Template = (
    ("Host", "{host}", "always"),
    ("Connection", "keep-alive", "always"),
    ("Content-Length", "{length}", "length"),
    ("sec-ch-ua-platform", '"Linux"', "always"),
    ("Authorization", "Bearer {token}", "always"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36", "always"),
    ("sec-ch-ua", '"Not:A-Brand";v="8", "Chromium";v="156"', "always"),
    ("Content-Type", "application/json", "json"),
    ("sec-ch-ua-mobile", "?0", "always"),
    ("Accept", "*/*", "always"),
    ("Origin", "{origin}", "browser"),
    ("Sec-Fetch-Site", "cross-site", "always"),
    ("Sec-Fetch-Mode", "cors", "always"),
    ("Sec-Fetch-Dest", "empty", "always"),
    ("Referer", "{origin}/", "page"),
    ("Accept-Encoding", "gzip, deflate, br, zstd", "always"),
    ("Accept-Language", "en-US,en;q=0.9", "always"),
)
_DART: _Template = (
    ("user-agent", "Dart/3.7 (dart:io)", "always"),
    ("content-type", "application/json; charset=utf-8", "json"),
    ("accept-encoding", "gzip", "always"),
    ("content-length", "{length}", "length"),
    ("authorization", "Bearer {token}", "always"),
    ("host", "{host}", "always"),
)

CURL = ClientProfile("curl", "C", _CURL, escapes=False, tells_empty_body=False, keeps_alive=False)
REQUESTS = ClientProfile(
    "requests",
    "P",
    _REQUESTS,
    escapes=True,
    tells_empty_body=True,
    keeps_alive=False,
    max_iterations=100,
    body_apart=True,
)
NODE = ClientProfile("node", "N", _NODE, escapes=False, tells_empty_body=True, keeps_alive=True)
CHROMIUM = ClientProfile(
    "chromium",
    "B",
    _CHROMIUM,
    escapes=False,
    tells_empty_body=True,
    keeps_alive=True,
    origin="http://127.0.0.1:46015",
)
DART = ClientProfile("dart", "D", _DART, escapes=False, tells_empty_body=True, keeps_alive=False)

PROFILES: tuple[ClientProfile, ...] = (REQUESTS, CURL, NODE, CHROMIUM, DART)
"""The one that a target is first spoken to with stands first: it says the most about itself."""

SENT_HEADERS = frozenset(name.lower() for profile in PROFILES for name, _, _ in profile.template)
"""The names, in lower case, of all headers that a published client sends with a call."""

PREFLIGHT = (
    ("Host", "{host}"),
    ("Connection", "keep-alive"),
    ("Accept", "*/*"),
    ("Access-Control-Request-Method", "{method}"),
    ("Access-Control-Request-Headers", "{names}"),
    ("Origin", "{origin}"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/156.0.0.0 Safari/537.36"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Dest", "empty"),
    ("Referer", "{origin}/"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-US,en;q=0.9"),
)


def preflight(target: Target, operation: str, path: str, origin: str) -> Request:
    """The question that a browser asks before a call: no token, and what the call will carry.

    A page from a file has the origin `null`, and nothing to refer to.
    """
    endpoint = endpoints()[operation]
    names = "authorization,content-type" if endpoint.body_required else "authorization"
    values = {"host": target.url.netloc, "method": endpoint.method, "names": names, "origin": origin}
    told = [(name, value.format_map(values)) for name, value in PREFLIGHT if name != "Referer" or origin != "null"]
    return Request(
        method="OPTIONS",
        target=path,
        headers=with_own(tuple(told), target.headers),
        intent=Intent.PROBE,
        shape="chromium",
    )
