"""What any single answer shows, whoever asked for it: the rules that watch all traffic.

Each rule says which exchanges could break it and what breaks it. The recorder applies the table to every exchange of a
run, so these requirements are judged on everything that was sent, at no request of their own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent, Request
from sendpoll.conformance.http.limits import SILENCE_LIMIT
from sendpoll.conformance.rules import headers
from sendpoll.conformance.rules.predicates import (
    answered,
    any_body,
    beyond_ascii,
    beyond_the_basic_plane,
    chunk_texts,
    events_of,
    forget_facts,
    garbled,
    has_body,
    has_chunk,
    has_content,
    has_data,
    is_call,
    is_redirect,
    json_text,
    offset_given,
    offset_is_integer,
    parsed,
    poll_data,
    readable,
    says_too_fast,
    something_came,
)
from sendpoll.core.http.ending import goes_on
from sendpoll.core.http.head import Framing
from sendpoll.core.json_text import has_lone_surrogate
from sendpoll.schemas.endpoints import endpoints

_TOO_EARLY = frozenset({404, 425, 429, 503})
"""How a server says that a task is not there yet, or that it is asked too often."""
_OF_THE_HTTP_SERVER = frozenset({413, 414, 431, 502, 504, 505})
"""What is answered before a request comes to the API, by a server or proxy that knows nothing of JSON."""
_ESCAPES = re.compile(r"%[0-9A-Fa-f]{2}")


@dataclass(frozen=True, slots=True)
class Rule:
    """One requirement as a pure function of one exchange."""

    requirement: str
    applies: Callable[[Exchange], bool]
    """Whether the exchange could have broken it."""
    broken: Callable[[Exchange], str | None]
    """How it did, in a sentence; None where it did not."""


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """What one exchange says about one requirement."""

    requirement: str
    broken: str | None


def observe(exchange: Exchange) -> Iterator[RuleOutcome]:
    """Apply every rule that the exchange could break.

    What a server makes of a request that no client sends is between the two; its answer is judged as HTTP alone.
    """
    odd = exchange.request.intent is Intent.PROBE
    for rule in RULES:
        if rule.applies(exchange) and (not odd or rule.requirement in _OF_ANY_ANSWER):
            yield RuleOutcome(rule.requirement, rule.broken(exchange))
    forget_facts(exchange)


# ---- framing and time ----


def _fault(requirement: str) -> Callable[[Exchange], str | None]:
    def broken(exchange: Exchange) -> str | None:
        return next((fault.sentence for fault in exchange.faults if fault.requirement == requirement), None)

    return broken


def _framed_by(framing: Framing, requirement: str) -> Callable[[Exchange], str | None]:
    """The faults of one framing; bytes behind a body that lacks its end are the rest of it."""

    def broken(exchange: Exchange) -> str | None:
        response = exchange.response
        if response and response.surplus and response.framing is framing and garbled(exchange):
            return goes_on(len(response.body) if framing is Framing.LENGTH else None).sentence
        return _fault(requirement)(exchange)

    return broken


def _silence(exchange: Exchange) -> str | None:
    longest = exchange.timing.longest_pause
    return f"nothing came for {longest:.0f} s" if longest >= SILENCE_LIMIT else None


def _in_earnest(exchange: Exchange) -> bool:
    """A request that no server has a reason to hang up on."""
    return exchange.request.intent is not Intent.PROBE


def _survived(exchange: Exchange) -> str | None:
    if exchange.status >= 500 or exchange.failure in {Failure.TIMEOUT, Failure.CLOSED, Failure.GARBAGE}:
        return exchange.behaviour
    return None


def _probed(kind: str) -> Callable[[Exchange], bool]:
    def applies(exchange: Exchange) -> bool:
        reached = exchange.failure is not Failure.CONNECT and not says_too_fast(exchange)
        return exchange.request.probe == kind and reached

    return applies


def _no_answer(exchange: Exchange) -> str | None:
    if exchange.failure is Failure.CLOSED and exchange.response is None:
        return f"the connection was closed in place of an answer {exchange.detail}".strip()
    return None


# ---- status and envelope ----


def _redirected(exchange: Exchange) -> str | None:
    location = exchange.response.header("location") if exchange.response else None
    return f"{exchange.behaviour} to {location}" if is_redirect(exchange) else None


def _success(exchange: Exchange) -> str | None:
    return None if exchange.response and exchange.response.ok else exchange.behaviour


def _used(operation: str, *, again: bool = False) -> Callable[[Exchange], bool]:
    def applies(exchange: Exchange) -> bool:
        request = exchange.request
        known = request.again == again and not request.late
        expected = request.intent is Intent.USE and request.operation == operation and known
        return expected and answered(exchange) and not is_redirect(exchange) and not says_too_fast(exchange)

    return applies


def _first_ensured(exchange: Exchange) -> bool:
    """A workspace that is not known yet: in the form of any client if it succeeds, else in the target's own form."""
    succeeded = exchange.ok and is_call(exchange, "createWorkspace") and exchange.request.intent is Intent.SHAPE
    return (succeeded and not exchange.request.again) or _used("createWorkspace")(exchange)


def _has_json(exchange: Exchange) -> str | None:
    if exchange.content.empty:
        return f"{exchange.behaviour} without a body"
    if not exchange.content.is_json_like and "ENC-7" not in exchange.content.faults:
        return f"the body is no JSON: {exchange.content.text[:60]!r}"
    return None


def _body_of(operation: str) -> Callable[[Exchange], bool]:
    return lambda exchange: is_call(exchange, operation) and readable(exchange)


def _envelope(operation: str, requirement: str) -> Rule:
    """The answer of a call: 2xx where it must succeed, and a JSON text of the form that its schema gives."""
    used = _used(operation)

    def applies(exchange: Exchange) -> bool:
        return (used(exchange) and not garbled(exchange)) or _body_of(operation)(exchange)

    def broken(exchange: Exchange) -> str | None:
        if not exchange.ok:
            return _success(exchange)
        return _has_json(exchange) or exchange.findings.get(requirement)

    return Rule(requirement, applies, broken)


def _poll_used(exchange: Exchange) -> bool:
    return _used("pollTask")(exchange)


def _poll_there(exchange: Exchange) -> str | None:
    return exchange.behaviour if exchange.status in _TOO_EARLY else None


def _poll_late(exchange: Exchange) -> bool:
    """A poll of a task that came to its end before, in a form that it was answered in."""
    request = exchange.request
    return request.late and request.intent is Intent.USE and answered(exchange) and not says_too_fast(exchange)


def _poll_envelope(exchange: Exchange) -> bool:
    in_use = _poll_used(exchange) and exchange.status not in _TOO_EARLY and not garbled(exchange)
    return in_use or _body_of("pollTask")(exchange)


def _poll_answer(exchange: Exchange) -> str | None:
    return _envelope("pollTask", "POLL-1").broken(exchange)


# ---- members ----


def _member(operation: str, name: str) -> Callable[[Exchange], bool]:
    def applies(exchange: Exchange) -> bool:
        value = exchange.content.value
        return is_call(exchange, operation) and parsed(exchange) and isinstance(value, dict) and name in value

    return applies


def _found(requirement: str) -> Callable[[Exchange], str | None]:
    return lambda exchange: exchange.findings.get(requirement)


def _has_id(exchange: Exchange) -> bool:
    return _member("sendMessage", "task_id")(exchange) or _member("createConversation", "conversation_id")(exchange)


def _offset_literal(exchange: Exchange) -> str | None:
    offset = (poll_data(exchange) or {}).get("next_offset")
    if isinstance(offset, float):
        return f"/data/next_offset is written as {offset!r}, not as an integer literal"
    return exchange.findings.get("POLL-3")


def _lone_surrogate(exchange: Exchange) -> str | None:
    broken = next((text for text in chunk_texts(exchange) if has_lone_surrogate(text)), None)
    return None if broken is None else f"the content {broken!r} holds half of a surrogate pair"


# ---- text ----


def _text_fault(requirement: str) -> Callable[[Exchange], str | None]:
    return lambda exchange: exchange.content.faults.get(requirement)


def _raw_text(exchange: Exchange) -> str | None:
    media = headers.media_type(exchange.response)
    if exchange.content.text.isascii() or media is None or media.charset is not None:
        return None
    return "the body holds raw text beyond ASCII, and Content-Type names no charset"


def _charset_matters(exchange: Exchange) -> bool:
    return beyond_ascii(exchange) and headers.media_type(exchange.response) is not None


# ---- errors and browsers ----


def _is_error(exchange: Exchange) -> bool:
    """An error that the API itself gives; not that of the HTTP server before it, for what it does not let through."""
    request = exchange.request
    asked = request.operation and request.method == endpoints()[request.operation].method
    given = exchange.status >= 400 and exchange.status not in _OF_THE_HTTP_SERVER and exchange.failure is None
    unfit = exchange.status == HTTPStatus.BAD_REQUEST and not _well_formed(request)
    return bool(asked) and given and not unfit and not says_too_fast(exchange) and not _names_no_task(request)


def _well_formed(request: Request) -> bool:
    """Whether no HTTP server has a reason to refuse it before it is read: escapes of UTF-8 text, headers of ASCII."""
    escapes = _ESCAPES.findall(request.target)
    try:
        unquote(request.target, errors="strict")
    except UnicodeDecodeError:
        return False
    plain = all(value.isascii() and value.isprintable() for _, value in request.headers)
    return plain and len(escapes) == request.target.count("%") and "%00" not in request.target


def _names_no_task(request: Request) -> bool:
    """Whether its path ends where the id should stand, which frameworks answer by themselves."""
    return request.operation == "pollTask" and request.target.partition("?")[0].endswith("/")


def _error_object(exchange: Exchange) -> str | None:
    fault = next((told for row, told in exchange.content.faults.items() if row.startswith("JSON")), None)
    if isinstance(exchange.content.value, dict):
        return fault
    return f"the body of {exchange.outcome} is no JSON object: {exchange.content.text[:60]!r}"


def _cross_origin(*, error: bool) -> Callable[[Exchange], bool]:
    def applies(exchange: Exchange) -> bool:
        asked = exchange.request.header("origin") is not None and exchange.request.method != "OPTIONS"
        given = answered(exchange) and not says_too_fast(exchange)
        return asked and given and (exchange.status >= 400) == error

    return applies


def _allowed_origin(exchange: Exchange) -> str | None:
    return headers.origin_fault(exchange.response, exchange.request.header("origin") or "")


def _poll_answered(exchange: Exchange) -> bool:
    return is_call(exchange, "pollTask") and exchange.ok


PROBED = {"BODY-5": "body", "FROM-2": "from", "FROM-6": "odd from", "AUTH-3": "auth", "AUTH-5": "odd auth"}
"""What a server must survive, and the kind of probe that tries it."""

_OF_ANY_ANSWER = frozenset({*PROBED, "ERR-1", "CORS-5", "CORS-6", *(f"HTTP-{number}" for number in range(1, 10))})

RULES: tuple[Rule, ...] = (
    *(Rule(f"HTTP-{number}", something_came, _fault(f"HTTP-{number}")) for number in (2, 4, 5, 6)),
    Rule("HTTP-1", answered, _framed_by(Framing.LENGTH, "HTTP-1")),
    Rule("HTTP-3", answered, _framed_by(Framing.CHUNKED, "HTTP-3")),
    Rule("HTTP-9", lambda exchange: answered(exchange) or _silence(exchange) is not None, _silence),
    Rule("HTTP-7", lambda exchange: _in_earnest(exchange) and exchange.failure is not Failure.CONNECT, _no_answer),
    *(Rule(requirement, _probed(kind), _survived) for requirement, kind in PROBED.items()),
    Rule(
        "REQ-9",
        lambda exchange: (
            answered(exchange) and bool(exchange.request.operation) and exchange.request.intent is not Intent.PROBE
        ),
        _redirected,
    ),
    Rule("WS-3", _first_ensured, _success),
    Rule("WS-2", _used("createWorkspace", again=True), _success),
    Rule("WS-1", _body_of("createWorkspace"), _has_json),
    _envelope("createConversation", "CONV-1"),
    _envelope("sendMessage", "MSG-1"),
    Rule("MSG-2", _poll_used, _poll_there),
    Rule("POLL-13", _poll_late, _success),
    Rule("POLL-1", _poll_envelope, _poll_answer),
    *(Rule(f"ID-{number}", _member("sendMessage", "task_id"), _found(f"ID-{number}")) for number in (1, 2, 3, 4, 5)),
    Rule("ID-6", _member("createConversation", "conversation_id"), _found("ID-6")),
    Rule("ID-8", _has_id, _found("ID-8")),
    Rule("POLL-2", has_data, _found("POLL-2")),
    Rule("POLL-3", offset_given, _offset_literal),
    Rule("POLL-4", offset_is_integer, _found("POLL-4")),
    Rule("POLL-7", has_data, _found("POLL-7")),
    Rule("POLL-10", has_data, _found("POLL-10")),
    Rule("POLL-11", _poll_answered, lambda exchange: headers.freshness_fault(exchange.response)),
    Rule("CACHE-1", _poll_answered, lambda exchange: headers.storing_fault(exchange.response)),
    Rule("EVT-1", lambda exchange: bool(events_of(exchange)), _found("EVT-1")),
    Rule("EVT-2", lambda exchange: bool(events_of(exchange)), _found("EVT-2")),
    Rule("EVT-3", has_chunk, _found("EVT-3")),
    Rule("EVT-4", has_content, _found("EVT-4")),
    Rule("EVT-5", beyond_the_basic_plane, _lone_surrogate),
    *(Rule(f"JSON-{number}", json_text, _text_fault(f"JSON-{number}")) for number in (1, 2, 3, 4)),
    Rule("ENC-1", beyond_ascii, _text_fault("ENC-1")),
    Rule("ENC-2", has_body, lambda exchange: headers.type_fault(exchange.response)),
    Rule("ENC-3", has_body, lambda exchange: headers.charset_fault(exchange.response)),
    Rule("ENC-4", _charset_matters, _raw_text),
    Rule("ENC-5", has_body, lambda exchange: headers.media_type_fault(exchange.response)),
    Rule("ENC-6", any_body, lambda exchange: headers.coding_fault(exchange.request, exchange.response)),
    Rule("ENC-7", any_body, _text_fault("ENC-7")),
    Rule("ENC-8", any_body, lambda exchange: headers.members_fault(exchange.response)),
    Rule("ERR-1", _is_error, _error_object),
    Rule("CORS-5", _cross_origin(error=False), _allowed_origin),
    Rule("CORS-6", _cross_origin(error=True), _allowed_origin),
)
