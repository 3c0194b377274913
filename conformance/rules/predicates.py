"""What an exchange is and what its answer holds, as the rules that watch all traffic ask for it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.core.json_text import strings
from sendpoll.core.oracle import chunk_text

_FACTS = "_facts"
T = TypeVar("T")


def _fact(find: Callable[[Exchange], T]) -> Callable[[Exchange], T]:
    """Find it once for each exchange: sixty rules ask for the same few facts."""

    @functools.wraps(find)
    def known(exchange: Exchange) -> T:
        facts: dict[Callable[[Exchange], T], T] = exchange.__dict__.setdefault(_FACTS, {})
        if find not in facts:
            facts[find] = find(exchange)
        return facts[find]

    return known


def forget_facts(exchange: Exchange) -> None:
    """Let go of what was found: exchanges are kept by the thousand, and judged once."""
    exchange.__dict__.pop(_FACTS, None)


@_fact
def says_too_fast(exchange: Exchange) -> bool:
    """Whether the server asks for a slower pace, as it may: only at the clients' own pace it must not (MSG-2)."""
    later = exchange.response is not None and exchange.response.header("retry-after") is not None
    return exchange.status == 429 or (exchange.status == 503 and later)


def answered(exchange: Exchange) -> bool:
    """Whether an answer came."""
    return exchange.response is not None


def something_came(exchange: Exchange) -> bool:
    """Whether an answer came, or bytes that are none."""
    return exchange.response is not None or bool(exchange.stray)


def is_call(exchange: Exchange, operation: str) -> bool:
    """Whether it is a call of this operation."""
    return exchange.request.operation == operation


@_fact
def is_redirect(exchange: Exchange) -> bool:
    """Whether the answer sends the client elsewhere."""
    return exchange.status in {301, 302, 303, 307, 308}


@_fact
def garbled(exchange: Exchange) -> bool:
    """Whether the body was cut by its framing, so that what it says is not the server's fault a second time."""
    response = exchange.response
    cut = (
        response is not None and bool(response.surplus) and bool(exchange.content.faults or not exchange.content.parsed)
    )
    return exchange.failure is not None or cut


@_fact
def readable(exchange: Exchange) -> bool:
    """A whole 2xx answer of the API, whose body can be judged."""
    return exchange.ok and bool(exchange.request.operation) and not garbled(exchange)


@_fact
def parsed(exchange: Exchange) -> bool:
    """A readable answer whose body is JSON, or nearly."""
    return readable(exchange) and exchange.content.parsed


@_fact
def poll_data(exchange: Exchange) -> dict[str, object] | None:
    """The `data` of a poll's answer, if it has one."""
    value = exchange.content.value
    data = value.get("data") if isinstance(value, dict) else None
    return data if is_call(exchange, "pollTask") and parsed(exchange) and isinstance(data, dict) else None


def has_data(exchange: Exchange) -> bool:
    """Whether a poll brought its `data`."""
    return poll_data(exchange) is not None


def offset_given(exchange: Exchange) -> bool:
    """Whether a poll gave a next_offset."""
    return "next_offset" in (poll_data(exchange) or {})


@_fact
def offset_is_integer(exchange: Exchange) -> bool:
    """Whether it gave one that is an integer."""
    offset = (poll_data(exchange) or {}).get("next_offset")
    return isinstance(offset, int) and not isinstance(offset, bool)


@_fact
def events_of(exchange: Exchange) -> list[object]:
    """The events in the answer of a poll."""
    events = (poll_data(exchange) or {}).get("events")
    return events if isinstance(events, list) else []


@_fact
def has_chunk(exchange: Exchange) -> bool:
    """Whether a poll brought a text_chunk."""
    return any(isinstance(event, dict) and event.get("type") == "text_chunk" for event in events_of(exchange))


@_fact
def chunk_texts(exchange: Exchange) -> list[str]:
    """What a client prints of the answer of a poll, chunk by chunk."""
    return [text for event in events_of(exchange) if (text := chunk_text(event)) is not None]


@_fact
def has_content(exchange: Exchange) -> bool:
    """Whether a poll brought a text_chunk whose data can have a content."""
    return any(
        isinstance(event, dict) and event.get("type") == "text_chunk" and isinstance(event.get("data"), dict)
        for event in events_of(exchange)
    )


@_fact
def beyond_the_basic_plane(exchange: Exchange) -> bool:
    """Whether a chunk holds a character of two surrogates, or half of one."""
    return any(
        character > "\uffff" or "\ud800" <= character <= "\udfff" for character in "".join(chunk_texts(exchange))
    )


@_fact
def json_text(exchange: Exchange) -> bool:
    """Whether a readable answer means to be JSON."""
    return readable(exchange) and not exchange.content.empty and exchange.content.is_json_like


@_fact
def beyond_ascii(exchange: Exchange) -> bool:
    """Whether a readable answer holds text beyond ASCII."""
    if not readable(exchange):
        return False
    if "ENC-1" in exchange.content.faults or not exchange.content.text.isascii():
        return True
    return exchange.content.parsed and any(not text.isascii() for text in strings(exchange.content.value))


@_fact
def has_body(exchange: Exchange) -> bool:
    """Whether a 2xx answer of the API has a body."""
    return exchange.ok and bool(exchange.request.operation) and bool(exchange.response and exchange.response.body)


def any_body(exchange: Exchange) -> bool:
    """Whether a whole answer has a body."""
    return exchange.response is not None and bool(exchange.response.body) and exchange.failure is None
