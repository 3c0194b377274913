"""Requests as they came and answers before they are put on the wire."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qs

from sendpoll.core.target.headers import Headers

Call = Literal["createWorkspace", "createConversation", "sendMessage", "pollTask", "preflight", ""]


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """One request as it came."""

    method: str
    target: str
    headers: Headers
    body: bytes = b""
    version: str = "1.1"
    connection: int = 1
    """Connections are counted from 1 in the order of their first byte."""
    nth: int = 1
    """The how manieth request on its connection this is."""
    idle: float = 0.0
    """Seconds that its connection had been silent."""
    memory: dict[str, Any] = field(default_factory=dict)
    """A behaviour's notes, kept as long as the server runs."""

    def all(self, name: str) -> list[str]:
        """Every value of a header, in any case of its name."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next(iter(self.all(name)), None)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> Mapping[str, list[str]]:
        """The query's values, decoded."""
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def call(self) -> Call:
        """The operation that is meant; empty if the API has none such."""
        if self.method == "OPTIONS":
            return "preflight"
        return next((call for call, method, path in _ROUTES if method == self.method and path.fullmatch(self.path)), "")

    @property
    def said(self) -> Any:
        """The body's document; None if there is none."""
        try:
            return json.loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError):
            return None

    @property
    def keeps_alive(self) -> bool:
        """Whether the client takes another answer on the same connection (RFC 9112 section 9.3)."""
        options = {token.strip().lower() for value in self.all("Connection") for token in value.split(",")}
        return "close" not in options and (self.version != "1.0" or "keep-alive" in options)

    def offers(self, coding: str) -> bool:
        """Whether the client offered that content coding (RFC 9110 section 12.5.3)."""
        for value in self.all("Accept-Encoding"):
            for offered in value.split(","):
                name, _, weight = offered.partition(";")
                if name.strip().lower() == coding and not re.fullmatch(r"\s*q=0(\.0*)?\s*", weight):
                    return True
        return False


_ROUTES: tuple[tuple[Call, str, re.Pattern[str]], ...] = (
    ("createWorkspace", "POST", re.compile("/api/v1/workspaces")),
    ("createConversation", "POST", re.compile("/api/v1/workspaces/[^/]+/conversations")),
    ("sendMessage", "POST", re.compile("/api/v1/workspaces/[^/]+/messages")),
    ("pollTask", "GET", re.compile("/api/v1/tasks/[^/]+")),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer before it is put on the wire."""

    status: int
    headers: Headers
    body: bytes = b""

    def with_body(self, body: bytes) -> Answer:
        """The same with another body."""
        return replace(self, body=body)

    def with_header(self, name: str, value: str | None) -> Answer:
        """The same with that header set, or without it."""
        rest = tuple(pair for pair in self.headers if pair[0].lower() != name.lower())
        return replace(self, headers=rest if value is None else (*rest, (name, value)))


def answer(status: int, document: object) -> Answer:
    """A JSON answer with the headers that every right answer has."""
    return Answer(
        status,
        (
            ("Content-Type", "application/json; charset=utf-8"),
            ("Cache-Control", "no-store"),
            ("Access-Control-Allow-Origin", "*"),
            ("Access-Control-Expose-Headers", "Retry-After"),
        ),
        encoded(document),
    )


def encoded(document: object) -> bytes:
    """JSON text in raw UTF-8, or in escapes where a lone surrogate leaves no other way."""
    try:
        return json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(document).encode("ascii")


def error(status: int, sentence: str) -> Answer:
    """The API's error."""
    return answer(status, {"error": {"code": "refused", "message": sentence}})


def on_the_wire(given: Answer) -> bytes:
    """The answer's bytes, framed by Content-Length unless its headers frame it or its status forbids one."""
    headers = list(given.headers)
    framed = any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in headers)
    if not framed and given.status not in {204, 304}:
        headers.append(("Content-Length", str(len(given.body))))
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {given.status} Told\r\n{head}\r\n".encode("latin-1") + given.body
