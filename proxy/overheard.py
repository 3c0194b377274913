"""One exchange as it goes by: the request, the answer that is read along, and when which byte of it came."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from sendpoll.conformance.http.exchange import Failure, Timing
from sendpoll.conformance.http.response_reader import ResponseReader
from sendpoll.conformance.recordings.api_calls import ApiCall, find_call
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.proxy.request_stream import PassingRequest


@dataclass(slots=True)
class Overheard:
    """What is heard of one exchange; moments in seconds since 1970."""

    request: PassingRequest
    origin: str
    """Scheme and authority of the server."""
    connection: str
    client: str
    started: float = field(default_factory=time.time)
    reader: ResponseReader = field(init=False)
    abandoned: bool = False
    call: ApiCall | None = field(init=False)
    """Which call of the API it is; None where it is none."""
    received: int = 0
    """Bytes of the answer that have come."""
    _sent: float | None = None
    _first: float | None = None
    _last: float = 0.0
    _pause: float = 0.0

    def __post_init__(self) -> None:
        self.reader = ResponseReader(head_only=self.request.method == "HEAD")
        self.call = find_call(self.request.method, self.url)

    @property
    def url(self) -> str:
        """Whole, as the server is asked."""
        target = self.request.target
        return f"{self.origin}{target}" if target.startswith("/") else target

    @property
    def operation(self) -> str:
        """The operationId; empty for what is no call of the API."""
        return self.call.operation if self.call is not None else ""

    def request_sent(self) -> None:
        """The request has gone by to its end."""
        self._sent = self._last = time.time()

    def answered(self, data: bytes) -> None:
        """Bytes of the answer have come."""
        now = time.time()
        if self._first is None:
            self._first = now
        self._pause = max(self._pause, now - (self._last or self.started))
        self._last = now
        self.received += len(data)
        self.reader.feed(data)

    def recorded(self, failure: Failure | None = None, detail: str = "") -> RecordedExchange:
        """The exchange as it is now, as a recording has it; `failure` is why it has no answer beside what was read."""
        request, response = self.request, self.reader.response()
        sent = self._sent or self.started
        return RecordedExchange(
            url=self.url,
            method=request.method,
            request_headers=request.headers,
            request_body=bytes(request.body) if request.body_bytes and request.is_kept else None,
            response=response,
            timing=Timing(self.started, sent, self._first, max(self._last, sent, self.started), self._pause),
            failure=None if self.abandoned else failure or self.reader.failure,
            abandoned=self.abandoned,
            detail=detail or self.reader.detail,
            stray=self.reader.stray,
            connection=self.connection,
            client=self.client,
            lacks=frozenset() if request.is_kept else frozenset({Facet.REQUEST_BODY}),
        )
