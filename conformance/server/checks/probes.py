"""How probes are sent that a right server refuses: they cost nothing then, and one that is taken costs a message."""

from __future__ import annotations

from sendpoll.conformance.http.exchange import Exchange, Request
from sendpoll.conformance.server.probing.endings import BudgetSpentError
from sendpoll.conformance.server.probing.run_context import RunContext

_FOR_NOW = frozenset({409, 423, 425, 429, 503})


def send_if_affordable(context: RunContext, request: Request) -> Exchange | None:
    """Send a probe; None where it is a message and the run may send no further one. What is free is always sent."""
    try:
        return context.recorder.send(request)
    except BudgetSpentError:
        return None


def refused_for_now(exchange: Exchange) -> bool:
    """Whether the refusal says that the same would do later: then it says nothing of what was wrong with it."""
    return exchange.status in _FOR_NOW and exchange.failure is None
