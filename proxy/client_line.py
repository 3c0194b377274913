"""One client's connection and the one to the server behind it: bytes both ways, read along, and faults in between."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections import deque
from typing import Final, Protocol

from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.proxy.fault_cost import FaultCost
from sendpoll.proxy.faults import IN_PLACE, DrawnFault, FaultDice, FaultKind
from sendpoll.proxy.overheard import Overheard
from sendpoll.proxy.request_stream import Passing, PassingRequest, RequestStream

_PIECE: Final = 65536
_READ_FIRST: Final = 0.05
"""Seconds that a client has to read what came before a reset, which would take it away."""
_DRIPS: Final = 20
_HALF_CLOSED: Final = 60.0
"""Seconds for which an answer is awaited whose client has said that it will send no more."""
_HELD: Final = frozenset({FaultKind.DROP_AFTER, FaultKind.RESET, FaultKind.CUT, FaultKind.DRIP})
"""Faults for which the whole answer must be there."""
_UNDELIVERED: Final = _HELD - {FaultKind.DRIP}
_REASONS: Final = {429: "Too Many Requests", 503: "Service Unavailable"}
_REFUSAL: Final = b'{"error": {"code": "refused_by_the_network", "message": "sendpoll proxy refused it on purpose"}}'


class LineOverError(Exception):
    """The connection is over; nothing more goes either way."""


class Exchangeboard(Protocol):
    """What a connection needs of the proxy that it is of."""

    origin: str
    dice: FaultDice
    cost: FaultCost

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the server. Raises OSError, DialError."""

    async def heard(self, recorded: RecordedExchange) -> None:
        """An exchange has gone by."""

    async def ask_aside(self, raw: bytes) -> None:
        """Ask the server the same, and let the answer go."""

    def cached(self, url: str) -> bytes | None:
        """The last 2xx answer to a poll, as it came."""

    def cache(self, url: str, raw: bytes) -> None:
        """Keep it."""

    def close_idle(self) -> None:
        """Close all connections on which nothing is awaited."""


class ClientLine:
    """One connection from its beginning to its end."""

    def __init__(
        self,
        board: Exchangeboard,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        requests: RequestStream,
        number: int,
    ) -> None:
        self._board = board
        self._reader, self._writer = client
        self._requests = requests
        self._number = str(number)
        peer = self._writer.get_extra_info("peername")
        self._client = str(peer[0]) if peer else ""
        self._pending: deque[tuple[Overheard, DrawnFault | None, bytearray]] = deque()
        """What was asked and is not answered, the fault that happens to it, and what of its answer is held."""
        self._in_place: tuple[PassingRequest, Overheard, bytes] | None = None
        """A request that the server never hears of, and its answer."""
        self._client_ended = False
        self._settled = asyncio.Event()
        """Set while nothing is pending."""
        self._settled.set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is awaited on it."""
        return not self._pending and self._in_place is None

    async def run(self) -> None:
        """Carry it. Raises OSError or DialError where the server cannot be reached; the client's end is reset then."""
        try:
            self._from_server, self._to_server = await self._board.connect()
        except BaseException:
            _reset(self._writer)
            raise
        down = asyncio.ensure_future(self._down())
        up = asyncio.ensure_future(self._up())
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if not down.done() and up.exception() is None:
                await asyncio.wait((down,), timeout=_HALF_CLOSED)
        finally:
            for way in (up, down):
                way.cancel()
            ended = await asyncio.gather(up, down, return_exceptions=True)
            for exchange, _, _ in self._pending:
                exchange.abandoned = True
                await self._board.heard(exchange.recorded())
            self._pending.clear()
            self.close()
        for problem in ended:
            if isinstance(problem, Exception) and not isinstance(problem, LineOverError):
                raise problem

    def close(self) -> None:
        """End it as a server does that has no more to say."""
        for writer in (self._writer, self._to_server):
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    # ---- to the server ----

    async def _up(self) -> None:
        try:
            while data := await self._reader.read(_PIECE):
                for passing in self._requests.feed(data):
                    await self._pass(passing)
            if held := self._requests.rest():
                self._to_server.write(held)
                await self._to_server.drain()
            self._client_ended = True
            if self._to_server.can_write_eof():
                self._to_server.write_eof()
            elif self.is_idle:
                self._to_server.close()
        except OSError:
            self._client_ended = True
            self._to_server.transport.abort()
            raise LineOverError from None

    async def _pass(self, passing: Passing) -> None:
        request = passing.request
        if request is not None and passing.begins:
            await self._begin(request)
        if self._in_place is not None and self._in_place[0] is request:
            if passing.ends:
                await self._answer_in_place()
            return
        self._to_server.write(passing.data)
        if passing.ends and self._pending and self._pending[-1][0].request is request:
            self._pending[-1][0].request_sent()
        await self._to_server.drain()

    async def _begin(self, request: PassingRequest) -> None:
        board = self._board
        exchange = Overheard(request, board.origin, self._number, self._client)
        board.cost.exchanges += bool(exchange.operation)
        drawn = board.dice.draw(exchange.operation)
        instead = b""
        if drawn is not None and drawn.kind is FaultKind.STALE:
            instead = board.cached(exchange.url) or b""
            drawn = drawn if instead else None
        if drawn is not None:
            board.cost.injected(drawn, exchange, time.monotonic())
            if drawn.kind is FaultKind.DROP_BEFORE:
                self._break_off()
            if drawn.kind is FaultKind.DELAY:
                await asyncio.sleep(drawn.seconds)
                exchange.started = time.time()  # what the server took is no matter of ours
            if drawn.kind is FaultKind.DUPLICATE:
                await board.ask_aside(bytes(request.raw))
                exchange.started = time.time()
            if drawn.kind in IN_PLACE:
                self._in_place = request, exchange, instead or _refusal(drawn)
                return
        self._pending.append((exchange, drawn, bytearray()))
        self._settled.clear()

    async def _answer_in_place(self) -> None:
        assert self._in_place is not None  # noqa: S101 - the caller has looked
        _, exchange, answer = self._in_place
        await self._settled.wait()
        self._writer.write(answer)
        await self._writer.drain()
        self._in_place = None
        if answer.partition(b" ")[2][:1] == b"2":
            self._board.cost.delivered(exchange, time.monotonic())

    def _break_off(self) -> None:
        """End the connection as a network does that is gone."""
        _reset(self._writer)
        self._to_server.transport.abort()
        raise LineOverError

    # ---- to the client ----

    async def _down(self) -> None:
        try:
            while data := await self._from_server.read(_PIECE):
                await self._answered(data)
        except OSError:
            await self._server_ended()
            _reset(self._writer)
            raise LineOverError from None
        await self._server_ended()

    async def _answered(self, data: bytes) -> None:
        while data and self._pending:
            exchange, drawn, held = self._pending[0]
            exchange.answered(data)
            if not exchange.reader.done:
                await self._deliver(exchange, drawn, held, data)
                return
            behind = b"" if exchange.reader.failure else exchange.reader.rest
            data, mine = behind, data[: len(data) - len(behind)]
            await self._deliver(exchange, drawn, held, mine)
            await self._finish()
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _finish(self) -> None:
        """The first of what is pending has its whole answer, or will have none."""
        exchange, drawn, held = self._pending[0]
        response = exchange.reader.response()
        is_good = response is not None and response.complete and 200 <= response.status <= 299
        if is_good:
            self._board.cost.taken(exchange)
        if drawn is not None and drawn.kind in _UNDELIVERED:
            exchange.abandoned = True  # to the client it never came whole, which is neither's fault
        try:
            await self._release(drawn, held)
        finally:
            self._pending.popleft()
            if not self._pending:
                self._settled.set()
            await self._board.heard(exchange.recorded())
        if is_good:
            self._board.cost.delivered(exchange, time.monotonic())
        if drawn is not None and drawn.kind is FaultKind.POOL:
            self._board.close_idle()

    async def _deliver(self, exchange: Overheard, drawn: DrawnFault | None, held: bytearray, data: bytes) -> None:
        keeps = exchange.operation == "pollTask" and any(
            rule.kind is FaultKind.STALE for rule in self._board.dice.rules
        )
        if keeps and exchange.reader.done and len(data) == exchange.received:
            self._board.cache(exchange.url, data)
        if drawn is not None and drawn.kind in _HELD:
            held += data
            return
        if drawn is not None and drawn.kind is FaultKind.JITTER:
            await asyncio.sleep(self._board.dice.seconds(drawn))
        self._writer.write(data)
        await self._writer.drain()

    async def _release(self, drawn: DrawnFault | None, held: bytearray) -> None:
        """Do to a whole answer what is to be done to it."""
        if drawn is None or drawn.kind not in _HELD:
            return
        if drawn.kind is FaultKind.DROP_AFTER:
            self._break_off()
        if drawn.kind is FaultKind.DRIP:
            await self._drip(bytes(held), drawn.seconds)
            return
        body = held.find(b"\r\n\r\n") + 4
        self._writer.write(bytes(held[: body + (len(held) - body) // 2]))
        await self._writer.drain()
        await asyncio.sleep(_READ_FIRST)
        if drawn.kind is FaultKind.RESET:
            self._break_off()
        raise LineOverError

    async def _drip(self, data: bytes, seconds: float) -> None:
        step = max(1, -(-len(data) // _DRIPS))
        for start in range(0, len(data), step):
            self._writer.write(data[start : start + step])
            await self._writer.drain()
            await asyncio.sleep(seconds / _DRIPS)

    async def _server_ended(self) -> None:
        while self._pending:
            exchange, _, held = self._pending[0]
            exchange.reader.end()
            exchange.abandoned = self._client_ended and not exchange.reader.started
            if exchange.reader.failure and held:
                self._writer.write(bytes(held))
                held.clear()
            await self._finish()


def _refusal(drawn: DrawnFault) -> bytes:
    status = drawn.rule.status
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\nContent-Type: application/json\r\nContent-Length: {len(_REFUSAL)}\r\n"
        f"Retry-After: {drawn.rule.retry_after}\r\nAccess-Control-Allow-Origin: *\r\n\r\n"
    )
    return head.encode("ascii") + _REFUSAL


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, so that the other side knows that something broke."""
    with contextlib.suppress(OSError):
        held = writer.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
