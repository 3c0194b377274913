"""Refusals that say nothing about a request: it came too fast, or while another task ran, or its token is over."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.conformance.http.exchange import Exchange, Failure, Request
from sendpoll.core.http.retry_after import is_date, retry_after

BUSY = frozenset({409, 423, 425, 429, 503})
"""How a server says that it takes no message while another task runs."""
UNAUTHORIZED = frozenset({401, 403})
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each further try where the server does not say how long to wait: none shorter than clients' own."""
_BARE = 3
"""Tries where nothing but the status says that a request came too fast: it may as well be broken."""


def may_be_too_fast(exchange: Exchange) -> bool:
    """Whether the answer may say that it was asked too fast: 429, or 503 as proxies have it, Retry-After or none."""
    return exchange.status in {429, 503} and exchange.failure is None


def is_busy(exchange: Exchange) -> bool:
    """Whether a message was refused with a status that may mean that another task runs."""
    return is_message(exchange.request) and exchange.status in BUSY and exchange.failure is None


def is_message(request: Request) -> bool:
    """Whether it is a message that a server may work on, and bill."""
    return request.operation == "sendMessage" and request.method == "POST"


def waits(exchange: Exchange) -> Iterator[float]:
    """Seconds to wait before each further try of a request that came too fast."""
    told = told_wait(exchange)
    if told is not None:
        yield from (max(told, pause) for pause in _PAUSES)
    else:
        yield from _PAUSES if exchange.status == 429 else _PAUSES[:_BARE]


def told_wait(exchange: Exchange) -> float | None:
    """For how many seconds the server asks to be left alone; None where it does not say."""
    response = exchange.response
    return retry_after(response.header("retry-after"), date=response.header("date")) if response else None


def form_of_wait(exchange: Exchange) -> str:
    """In which form it says so: `seconds`, `date` or nothing."""
    value = exchange.response.header("retry-after") if exchange.response else None
    if told_wait(exchange) is None:
        return ""
    return "date" if is_date(value) else "seconds"


def was_cut(exchange: Exchange) -> bool:
    """Whether the connection was refused, or broke off before the whole answer, as when a server goes down."""
    return exchange.failure in {Failure.CONNECT, Failure.CLOSED}
