"""An entry of a HAR 1.2 as an exchange. HAR has decoded bodies and no framing; much of it is optional, or -1."""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Any, Final

from sendpoll.conformance.http.exchange import Failure, Response, Timing
from sendpoll.conformance.http.limits import SILENCE_LIMIT
from sendpoll.conformance.recordings.exchange_json import CLIENT_LEFT, UnusableError, moment
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.core.http.head import Fault

_ALWAYS: Final = frozenset({Facet.FRAMING, Facet.RAW_HEADERS, Facet.BODY_BYTES})
"""What no HAR has."""
_METHOD: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}")
_LEFT: Final = re.compile(rf"ERR_ABORTED|NS_BINDING_ABORTED|{CLIENT_LEFT}|cancell?ed", re.IGNORECASE)
_FAILURES: Final = (
    (Failure.CONNECT, re.compile(r"ERR_CONNECTION_REFUSED|ERR_NAME_NOT|ERR_ADDRESS|ERR_INTERNET|no connection")),
    (Failure.TIMEOUT, re.compile(r"ERR_(?:CONNECTION_)?TIMED_OUT|no answer in time", re.IGNORECASE)),
    (
        Failure.CLOSED,
        re.compile(
            "ERR_EMPTY_RESPONSE|ERR_CONNECTION_(?:RESET|CLOSED)|ERR_CONTENT_LENGTH|ERR_INCOMPLETE|closed in place|"
            "NS_ERROR_NET_(?:RESET|EMPTY|PARTIAL)"
        ),
    ),
    (Failure.GARBAGE, re.compile("ERR_INVALID_HTTP_RESPONSE|ERR_INVALID_CHUNKED|no HTTP answer")),
    (Failure.FLOOD, re.compile("ERR_RESPONSE_HEADERS_TOO_BIG|more bytes than")),
)
"""What browsers, and we ourselves, say of a request that has no whole answer."""
_TOLD_FAULTS: Final = (
    ("ERR_CONTENT_LENGTH_MISMATCH", Fault("HTTP-1", "the body is not as long as was announced, the browser says")),
    ("ERR_INCOMPLETE_CHUNKED_ENCODING", Fault("HTTP-3", "the chunks do not come to their end, the browser says")),
    ("ERR_INVALID_CHUNKED_ENCODING", Fault("HTTP-3", "the chunks are none, the browser says")),
    ("MULTIPLE_CONTENT_LENGTH", Fault("HTTP-2", "there are several lengths of the body, the browser says")),
    ("ERR_INVALID_HTTP_RESPONSE", Fault("HTTP-4", "what came is no HTTP answer, the browser says")),
)


def exchange_of(entry: Any, place: str) -> RecordedExchange:
    """The exchange of an entry. Raises UnusableError with the reason where there is none."""
    if not isinstance(entry, dict):
        raise UnusableError("it is no entry of a HAR")
    if any(entry.get(name) for name in ("_fromCache", "_fromDiskCache", "_fromMemoryCache")):
        raise UnusableError("the browser's own cache answered")
    request, response = _holder(entry, "request"), _holder(entry, "response")
    url, method = _word(request.get("url")), _word(request.get("method"))
    if not re.match(r"https?://", url, re.IGNORECASE):
        raise UnusableError("its URL is none of HTTP")
    if not _METHOD.fullmatch(method):
        raise UnusableError("it has no method")
    status = response.get("status")
    answered = isinstance(status, int) and not isinstance(status, bool) and 100 <= status <= 999
    error = " ".join(filter(None, (_word(response.get(name)) for name in ("_error", "_failureText"))))
    failure = next((kind for kind, pattern in _FAILURES if pattern.search(error)), None)
    timing, lacks = _timing(entry)
    lacks |= _ALWAYS | _request_lacks(request)
    body: bytes | None = b""
    if answered:
        body = _response_body(response, int(status or 0))
        lacks |= set() if body is not None else {Facet.RESPONSE_BODY}
    left = bool(_LEFT.search(error))
    if not answered and not left and failure is None:
        lacks.add(Facet.OUTCOME)
    faults = tuple(fault for word, fault in _TOLD_FAULTS if word in error)
    return RecordedExchange(
        url=url.partition("#")[0],
        method=method.upper(),
        request_headers=_headers(request),
        request_body=_request_body(request),
        response=_answer(response, body or b"", faults, whole=not error) if answered else None,
        decoded=True,
        timing=timing,
        failure=failure,
        abandoned=left,
        detail=error[:200],
        stray=() if answered else faults,
        connection=_word(entry.get("connection")),
        client=_word(entry.get("_client")) or _word(entry.get("pageref")),
        lacks=frozenset(lacks),
        place=place,
    )


def _holder(entry: dict[str, Any], name: str) -> dict[str, Any]:
    found = entry.get(name)
    if not isinstance(found, dict):
        raise UnusableError(f"it has no {name}")
    return found


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> float | None:
    """A number that is known: HAR has -1 for one that is not."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known and 0 <= value < 1e12 else None


def _headers(holder: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Headers as pairs, those of HTTP/2 that begin with a colon left out (RFC 9113 section 8.3)."""
    pairs = [(_word(one.get("name")), _word(one.get("value"))) for one in _dicts(holder.get("headers"))]
    return tuple((name, value) for name, value in pairs if name and not name.startswith(":"))


def _dicts(told: Any) -> list[dict[str, Any]]:
    return [one for one in told if isinstance(one, dict)] if isinstance(told, list) else []


def _timing(entry: dict[str, Any]) -> tuple[Timing, set[Facet]]:
    started = moment(_word(entry.get("startedDateTime")))
    took = (_number(entry.get("time")) or 0.0) / 1000
    told = entry.get("timings")
    timings = told if isinstance(told, dict) else {}
    wait = (_number(timings.get("wait")) or 0.0) / 1000
    first = None if _number(timings.get("wait")) is None else started + min(took, wait)
    if took < SILENCE_LIMIT or wait >= SILENCE_LIMIT:
        return Timing(started, started, first, started + took, min(took, max(wait, 0.0)) if wait else took), set()
    return Timing(started, started, first, started + took, 0.0), {Facet.PAUSES}


# ---- the request ----


def _request_lacks(request: dict[str, Any]) -> set[Facet]:
    lacks = set()
    names = {_word(one.get("name")).lower() for one in _dicts(request.get("headers"))}
    if not names & {"host", ":authority"}:  # a browser shows what it meant to send where it has not seen more
        lacks.add(Facet.REQUEST_HEADERS)
    size, data = _number(request.get("bodySize")), request.get("postData")
    has_text = isinstance(data, dict) and isinstance(data.get("text"), str)
    length = next((value for name, value in _headers(request) if name.lower() == "content-length"), "0")
    if not has_text and ((size or 0) > 0 or isinstance(data, dict) or length not in {"", "0"}):
        lacks.add(Facet.REQUEST_BODY)
    return lacks


def _request_body(request: dict[str, Any]) -> bytes | None:
    data = request.get("postData")
    text = data.get("text") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(text, str) or not text:
        return None
    return _plain(text, is_base64="base64" in {data.get("encoding"), data.get("_encoding")})


# ---- the answer ----


def _answer(response: dict[str, Any], body: bytes, faults: tuple[Fault, ...], *, whole: bool) -> Response:
    version = re.sub(r"(?i)^(?:https?/|h)", "", _word(response.get("httpVersion"))) or "1.1"
    return Response(
        status=response["status"],
        reason=_word(response.get("statusText")),
        version=version,
        headers=_headers(response),
        body=body,
        complete=whole,
        faults=faults,
    )


def _response_body(response: dict[str, Any], status: int) -> bytes | None:
    """The body of an answer; None where it was not recorded."""
    told = response.get("content")
    content: dict[str, Any] = told if isinstance(told, dict) else {}
    text = content.get("text")
    if isinstance(text, str) and (text or not (_number(content.get("size")) or 0)):
        if "truncated" in _word(content.get("comment")).lower():
            return None
        return _plain(text, is_base64=content.get("encoding") == "base64")
    sizes = (_number(content.get("size")), _number(response.get("bodySize")))
    return b"" if status in {204, 304} or (sizes[0] == 0 and not sizes[1]) else None


def _plain(text: str, *, is_base64: bool) -> bytes:
    if not is_base64:
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnusableError("a body that is said to be base64 is none") from error
