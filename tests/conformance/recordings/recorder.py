"""Records what `check` and the load of tests send: each exchange of the suite's own recorder, as a recording has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from sendpoll.conformance.http.exchange import Exchange, Timing
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.server.probing.recorder import Recorder


def as_recorded(exchange: Exchange, base_url: str) -> RecordedExchange:
    """An exchange of the suite, with all that it knows, by the clock of the wall."""
    ahead = time.time() - time.monotonic()
    timing = exchange.timing
    first = None if timing.first_byte is None else timing.first_byte + ahead
    moved = Timing(timing.started + ahead, timing.sent + ahead, first, timing.finished + ahead, timing.longest_pause)
    return RecordedExchange(
        url=f"{base_url}{exchange.request.target}",
        method=exchange.request.method,
        request_headers=exchange.request.headers,
        request_body=exchange.request.body,
        response=exchange.response,
        timing=moved,
        failure=exchange.failure,
        detail=exchange.detail,
        stray=exchange.stray,
        connection=str(exchange.connection),
    )


@contextmanager
def recording() -> Iterator[list[RecordedExchange]]:
    """All exchanges of checks that run in this process meanwhile, in the order of their answers."""
    found: list[RecordedExchange] = []
    original = Recorder._record

    def record(self: Recorder, request: Any, answer: Any, connection: int) -> Exchange:
        exchange = original(self, request, answer, connection)
        whole = replace(exchange, response=answer.response)
        found.append(as_recorded(whole, self.target.base_url))
        return exchange

    with mock.patch.object(Recorder, "_record", record):
        yield found
    found.sort(key=lambda one: one.timing.finished)
