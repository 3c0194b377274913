"""Writes a recording as HAR 1.2, which browsers and proxies open; framing and raw bytes have no place in it."""

from __future__ import annotations

import base64
import importlib.metadata
import json
from collections.abc import Iterable
from typing import Any, TextIO
from urllib.parse import parse_qsl, urlsplit

from sendpoll.conformance.http.exchange import Response
from sendpoll.conformance.recordings.exchange_json import moment_text
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.conformance.recordings.writing.masks import Masks
from sendpoll.core.http.coding import UndecodableError, decode
from sendpoll.core.http.limits import BODY_LIMIT
from sendpoll.schemas.contract import JSON

_UNKNOWN = -1
"""What HAR has for a number that nobody knows."""


class HarWriter:
    """Entries are written as they come; only `close` makes the file a whole JSON text."""

    def __init__(self, stream: TextIO, secrets: Iterable[str] = ()) -> None:
        """`secrets` are masked beside every Authorization that is seen."""
        self._stream = stream
        self._masks = Masks(secrets)
        self._entries = 0
        creator = {"name": "sendpoll", "version": importlib.metadata.version("sendpoll")}
        stream.write(f'{{"log": {{"version": "1.2", "creator": {json.dumps(creator)}, "entries": [')

    def add(self, recorded: RecordedExchange) -> None:
        """Write one exchange. Raises OSError."""
        self._masks.learn_from(recorded)
        entry = self._masks.data(_entry(recorded, self._masks))
        separator = ",\n" if self._entries else "\n"
        self._stream.write(separator + json.dumps(entry, ensure_ascii=True, allow_nan=False))
        self._entries += 1

    def close(self) -> None:
        """End the file. Raises OSError."""
        self._stream.write("\n]}}\n")
        self._stream.flush()


def _entry(recorded: RecordedExchange, masks: Masks) -> JSON:
    timing = recorded.timing
    whole = max(0.0, timing.finished - timing.started)
    first = whole if timing.first_byte is None else max(0.0, timing.first_byte - timing.started)
    entry: JSON = {
        "startedDateTime": moment_text(timing.started),
        "time": _milliseconds(whole),
        "request": _request(recorded, masks),
        "response": _response(recorded, masks),
        "cache": {},
        "timings": {"send": 0, "wait": _milliseconds(first), "receive": _milliseconds(whole - first)},
    }
    if recorded.connection:
        entry["connection"] = recorded.connection
    if recorded.client:
        entry["_client"] = recorded.client
    return entry


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _request(recorded: RecordedExchange, masks: Masks) -> JSON:
    body = recorded.request_body
    told: JSON = {
        "method": recorded.method,
        "url": recorded.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _headers(masks.headers(recorded.request_headers)),
        "queryString": [
            {"name": name, "value": value}
            for name, value in parse_qsl(urlsplit(recorded.url).query, keep_blank_values=True)
        ],
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN if Facet.REQUEST_BODY in recorded.lacks else len(body or b""),
    }
    if body is not None:
        text, is_base64 = _text(body)
        told["postData"] = {"mimeType": recorded.request_header("content-type") or "", "text": text}
        if is_base64:
            told["postData"]["encoding"] = "base64"
    return told


def _response(recorded: RecordedExchange, masks: Masks) -> JSON:
    response = recorded.response
    if response is None:
        return {**_answer(0, "", "", []), "_error": _why(recorded)}
    told = _answer(response.status, response.reason, f"HTTP/{response.version}", masks.headers(response.headers))
    told["redirectURL"] = response.header("location") or ""
    if not response.complete:
        told["_error"] = _why(recorded)
    if Facet.RESPONSE_BODY in recorded.lacks:
        told["content"].pop("text", None)
        return told
    body = _plain(response, decoded=recorded.decoded)
    text, is_base64 = _text(body)
    told["content"] = {"size": len(body), "mimeType": response.header("content-type") or "", "text": text}
    if is_base64:
        told["content"]["encoding"] = "base64"
    return told


def _answer(status: int, reason: str, version: str, headers: list[tuple[str, str]]) -> JSON:
    return {
        "status": status,
        "statusText": reason,
        "httpVersion": version,
        "cookies": [],
        "headers": _headers(headers),
        "content": {"size": 0, "mimeType": "x-unknown"},
        "redirectURL": "",
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }


def _why(recorded: RecordedExchange) -> str:
    """Why no whole answer came, in the words of a line of NDJSON."""
    if recorded.abandoned:
        return "the client left"
    told = str(recorded.failure) if recorded.failure else "unknown"
    return f"{told} ({recorded.detail})" if recorded.detail else told


def _headers(headers: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in headers]


def _plain(response: Response, *, decoded: bool) -> bytes:
    """The body without its content coding, as HAR has it; as it is where the coding cannot be undone."""
    if decoded:
        return response.body
    try:
        return decode(response.body, ", ".join(response.all("content-encoding")), BODY_LIMIT)
    except UndecodableError:
        return response.body


def _text(body: bytes) -> tuple[str, bool]:
    """The body as text, and whether that text is base64."""
    try:
        return body.decode("utf-8"), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True
