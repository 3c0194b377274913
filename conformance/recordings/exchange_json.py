"""A line of a recording in NDJSON, to and fro: `files/recorded-exchange.json` as types, and what its members mean."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NotRequired, TypedDict

from sendpoll.conformance.http.exchange import Failure, Response, Timing
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.core.http.head import Fault, Framing

CLIENT_LEFT = "the client left"
UNKNOWN = "unknown"


class RequestJson(TypedDict):
    """What was asked."""

    method: str
    url: str
    headers: NotRequired[list[list[str]]]
    body: NotRequired[str | None]
    body_base64: NotRequired[str]


class ResponseJson(TypedDict):
    """What came."""

    status: int
    reason: NotRequired[str]
    http_version: NotRequired[str]
    headers: NotRequired[list[list[str]]]
    body: NotRequired[str | None]
    body_base64: NotRequired[str]
    decoded: NotRequired[bool]
    body_bytes: NotRequired[int]
    complete: NotRequired[bool]


class FaultJson(TypedDict):
    """A fault of the bytes."""

    requirement: str
    sentence: str


class WireJson(TypedDict):
    """What the connection showed."""

    framing: str
    faults: list[FaultJson]
    surplus_base64: NotRequired[str]


class ExchangeJson(TypedDict):
    """The whole line."""

    started_at: str
    took_s: NotRequired[float]
    first_byte_s: NotRequired[float | None]
    longest_pause_s: NotRequired[float]
    connection: NotRequired[str]
    client: NotRequired[str]
    request: RequestJson
    response: ResponseJson | None
    failure: NotRequired[str]
    detail: NotRequired[str]
    wire: NotRequired[WireJson]


class UnusableError(ValueError):
    """One exchange of a recording cannot be used; the message says why."""


# ---- out ----


def to_json(recorded: RecordedExchange) -> ExchangeJson:
    """The exchange as a line has it; nothing is masked (`writing` does that)."""
    timing = recorded.timing
    told: ExchangeJson = {
        "started_at": moment_text(timing.started),
        "took_s": round(max(0.0, timing.finished - timing.started), 6),
        "request": _request(recorded),
        "response": _response(recorded),
    }
    if timing.first_byte is not None:
        told["first_byte_s"] = round(max(0.0, timing.first_byte - timing.started), 6)
    if Facet.PAUSES not in recorded.lacks:
        told["longest_pause_s"] = round(timing.longest_pause, 6)
    if recorded.connection:
        told["connection"] = recorded.connection
    if recorded.client:
        told["client"] = recorded.client
    if failure := _failure_word(recorded):
        told["failure"] = failure
    if recorded.detail:
        told["detail"] = recorded.detail
    if Facet.FRAMING not in recorded.lacks:
        told["wire"] = _wire(recorded)
    return told


def moment_text(moment: float) -> str:
    """A moment in seconds since 1970 as RFC 3339 writes it, to the microsecond."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _request(recorded: RecordedExchange) -> RequestJson:
    told: RequestJson = {"method": recorded.method, "url": recorded.url}
    if Facet.REQUEST_HEADERS not in recorded.lacks or recorded.request_headers:
        told["headers"] = [list(pair) for pair in recorded.request_headers]
    if Facet.REQUEST_BODY not in recorded.lacks:
        told.update(_body(recorded.request_body))  # type: ignore[typeddict-item]  # the members of both are alike
    return told


def _response(recorded: RecordedExchange) -> ResponseJson | None:
    response = recorded.response
    if response is None:
        return None
    told: ResponseJson = {
        "status": response.status,
        "reason": response.reason,
        "http_version": response.version,
        "headers": [list(pair) for pair in response.headers],
        "complete": response.complete,
    }
    if Facet.RESPONSE_BODY not in recorded.lacks:
        told.update(_body(response.body))  # type: ignore[typeddict-item]  # the same
    if recorded.decoded:
        told["decoded"] = True
    if response.body_bytes >= 0:
        told["body_bytes"] = response.body_bytes
    return told


def _body(body: bytes | None) -> dict[str, str | None]:
    if body is None:
        return {"body": None}
    try:
        return {"body": body.decode("utf-8")}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(body).decode()}


def _failure_word(recorded: RecordedExchange) -> str:
    if recorded.abandoned:
        return CLIENT_LEFT
    if recorded.failure is not None:
        return str(recorded.failure)
    return UNKNOWN if Facet.OUTCOME in recorded.lacks else ""


def _wire(recorded: RecordedExchange) -> WireJson:
    response = recorded.response
    faults = response.faults if response else recorded.stray
    told: WireJson = {
        "framing": (response.framing if response else Framing.NONE).value,
        "faults": [{"requirement": fault.requirement, "sentence": fault.sentence} for fault in faults],
    }
    if response and response.surplus:
        told["surplus_base64"] = base64.b64encode(response.surplus).decode()
    return told


# ---- in ----


def from_json(told: ExchangeJson, place: str) -> RecordedExchange:
    """The exchange of a line that follows the schema. Raises UnusableError for what a schema cannot say."""
    request, response, wire = told["request"], told["response"], told.get("wire")
    word = told.get("failure", "")
    lacks = set(_lacks(told))
    if word == UNKNOWN or (response is None and not word):
        lacks.add(Facet.OUTCOME)
    return RecordedExchange(
        url=request["url"].partition("#")[0],
        method=request["method"],
        request_headers=_headers(request.get("headers", [])),
        request_body=_bytes(request),
        response=None if response is None else _answer(response, wire),
        decoded=bool(response and response.get("decoded")),
        timing=_timing(told),
        failure=Failure(word) if word not in {"", CLIENT_LEFT, UNKNOWN} else None,
        abandoned=word == CLIENT_LEFT,
        detail=told.get("detail", ""),
        stray=() if response is not None or wire is None else _faults(wire),
        connection=told.get("connection", ""),
        client=told.get("client", ""),
        lacks=frozenset(lacks),
        place=place,
    )


def _lacks(told: ExchangeJson) -> Iterable[Facet]:
    request, response = told["request"], told["response"]
    if "wire" not in told:
        yield Facet.FRAMING
    if "headers" not in request:
        yield Facet.REQUEST_HEADERS
    if "body" not in request and "body_base64" not in request:
        yield Facet.REQUEST_BODY
    if "longest_pause_s" not in told and "took_s" not in told:
        yield Facet.PAUSES
    if response is None:
        return
    if "headers" not in response:
        yield Facet.RAW_HEADERS
    if response.get("decoded"):
        yield Facet.BODY_BYTES
    if ("body" not in response and "body_base64" not in response) or _is_cut(response):
        yield Facet.RESPONSE_BODY


def _is_cut(response: ResponseJson) -> bool:
    """Whether only the beginning of the body is here."""
    body = _bytes(response)
    return body is not None and response.get("body_bytes", -1) > len(body)


def _answer(response: ResponseJson, wire: WireJson | None) -> Response:
    return Response(
        status=response["status"],
        reason=response.get("reason", ""),
        version=response.get("http_version", "1.1").removeprefix("HTTP/"),
        headers=_headers(response.get("headers", [])),
        body=_bytes(response) or b"",
        complete=response.get("complete", True),
        faults=() if wire is None else _faults(wire),
        framing=Framing.LENGTH if wire is None else Framing(wire["framing"]),
        surplus=b"" if wire is None else _decoded(wire.get("surplus_base64", "")),
        body_bytes=response.get("body_bytes", -1),
    )


def _headers(told: list[list[str]]) -> tuple[tuple[str, str], ...]:
    """The headers; names that begin with a colon are HTTP/2's own (RFC 9113 section 8.3) and no headers."""
    return tuple((name, value) for name, value in told if not name.startswith(":"))


def _faults(wire: WireJson) -> tuple[Fault, ...]:
    return tuple(Fault(fault["requirement"], fault["sentence"]) for fault in wire["faults"])


def _bytes(holder: RequestJson | ResponseJson) -> bytes | None:
    if "body_base64" in holder:
        return _decoded(holder["body_base64"])
    body = holder.get("body")
    return None if body is None else body.encode("utf-8", "surrogatepass")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise UnusableError("a body that is said to be base64 is none") from error


def _timing(told: ExchangeJson) -> Timing:
    started = moment(told["started_at"])
    took = told.get("took_s", 0.0)
    first = told.get("first_byte_s")
    pause = told.get("longest_pause_s", took)
    return Timing(started, started, None if first is None else started + first, started + took, pause)


def moment(text: str) -> float:
    """Seconds since 1970 of a date and time of RFC 3339; in UTC where it names no zone. Raises UnusableError."""
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError) as error:
        raise UnusableError(f"it began at {text[:40]!r}, which is no time of RFC 3339") from error
