"""The proxy itself: it listens, carries each connection, and hands every exchange that has gone by to who watches."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from sendpoll.conformance.http.response_reader import ResponseReader
from sendpoll.conformance.recordings.api_calls import find_call
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.core.dialing.dial import Dialer, DialError, dial_fault
from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError
from sendpoll.proxy.client_line import ClientLine, LineOverError
from sendpoll.proxy.fault_cost import FaultCost
from sendpoll.proxy.faults import FaultDice, FaultRule
from sendpoll.proxy.request_stream import RequestStream

_WAITING: Final = 10_000
"""Exchanges that may wait to be looked at; then the network waits for who looks."""
_CACHED: Final = 1000
_ASIDE: Final = 30.0
_DIALERS: Final = 32
_CLOSING: Final = 2.0

SeeExchange = Callable[[RecordedExchange], None]
"""Looks at an exchange that has gone by; called in one thread, one after the other."""


@dataclass(frozen=True, slots=True)
class ProxyOrder:
    """What a proxy is to do."""

    target: Target
    host: str = "127.0.0.1"
    port: int = 0
    rules: Sequence[FaultRule] = ()
    seed: int = 0


class ProxyServer:
    """One proxy before one server. Everything but `stop` and `watch` is done in the thread of its loop."""

    def __init__(self, order: ProxyOrder, watch: SeeExchange, tell: Callable[[str], None]) -> None:
        """`tell` is told once of each way in which the server cannot be reached. Raises TargetError."""
        target = order.target
        self.origin = f"{target.url.scheme}://{target.authority}"
        self.dice = FaultDice(order.rules, order.seed)
        self.cost = FaultCost()
        self._order = order
        self._dialer = Dialer(target)
        if self._dialer.proxy is not None and self._dialer.tls is None:
            raise TargetError(
                f"{target.base_url} is reached through the proxy {self._dialer.proxy.name}, and over plain HTTP only "
                "requests made for it would pass: except the server with NO_PROXY"
            )
        self._watch = watch
        self._tell = tell
        self._told: set[str] = set()
        self._own: frozenset[bytes] = frozenset()
        self._numbers = itertools.count(1)
        self._lines: set[ClientLine] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._cache: dict[str, bytes] = {}
        self._heard: queue.Queue[RecordedExchange | None] = queue.Queue(_WAITING)
        self._pool = ThreadPoolExecutor(_DIALERS, thread_name_prefix="dial")
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        find_call("GET", self.origin)  # the contract is read now, and not while the first request waits

    # ---- from its beginning to its end ----

    def run(self, ready: Callable[[str], None]) -> None:
        """Listen until `stop`; `ready` is told the URL. Raises OSError where it cannot listen."""
        watcher = threading.Thread(target=self._look, name="watch", daemon=True)
        watcher.start()
        try:
            asyncio.run(self._serve(ready))
        finally:
            self._heard.put(None)
            watcher.join()
            self._pool.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """End it, from any thread or a signal's handler."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)

    def _look(self) -> None:
        while (recorded := self._heard.get()) is not None:
            self._watch(recorded)

    async def _serve(self, ready: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        order = self._order
        server = await asyncio.start_server(self._accept, order.host, order.port)
        port = server.sockets[0].getsockname()[1]
        name = f"[{order.host}]" if ":" in order.host else order.host
        own = (name, "localhost", "127.0.0.1", "[::1]")
        self._own = frozenset(f"{one.lower()}:{port}".encode("ascii") for one in own)
        ready(f"http://{name}:{port}{order.target.path_prefix}")
        await self._stopping.wait()
        server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSING)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._carry(reader, writer))
        self._tasks.add(task)

        def over(_: object) -> None:
            self._tasks.discard(task)
            writer.close()  # also where the proxy ended before it was carried at all

        task.add_done_callback(over)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests = RequestStream(self._own, self._order.target.authority.encode("latin-1"))
        line = ClientLine(self, (reader, writer), requests, next(self._numbers))
        self._lines.add(line)
        try:
            await line.run()
        except DialError as error:
            self._tell_once(f"{self._order.target.base_url} cannot be reached: {error}")
        except OSError as error:
            _, why = dial_fault(error, presented=self._order.target.client_cert is not None)
            self._tell_once(f"{self._order.target.base_url} cannot be reached: {why}")
        except (asyncio.CancelledError, LineOverError):
            pass  # the proxy ends, or the connection does; asyncio would log either as an error
        finally:
            self._lines.discard(line)

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)

    # ---- what a connection asks of it ----

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection to the server, secured where it speaks TLS. Raises OSError, DialError."""
        loop = asyncio.get_running_loop()
        target = self._order.target
        plain = await loop.run_in_executor(self._pool, self._dialer.dial_plain, target.timeouts.connect)
        plain.setblocking(False)
        tls = self._dialer.tls
        return await asyncio.open_connection(sock=plain, ssl=tls, server_hostname=target.host if tls else None)

    async def heard(self, recorded: RecordedExchange) -> None:
        """Hand an exchange over to who watches."""
        while True:
            try:
                self._heard.put_nowait(recorded)
            except queue.Full:
                await asyncio.sleep(0.005)
            else:
                return

    async def ask_aside(self, raw: bytes) -> None:
        """Ask the server the same over a connection of its own, and let the answer go."""
        with contextlib.suppress(OSError, DialError, TimeoutError):
            async with asyncio.timeout(_ASIDE):
                reader, writer = await self.connect()
                try:
                    writer.write(raw)
                    answer = ResponseReader()
                    while not answer.done and (data := await reader.read(65536)):
                        answer.feed(data)
                finally:
                    writer.close()

    def cached(self, url: str) -> bytes | None:
        """The last answer to a poll that was kept."""
        return self._cache.get(url)

    def cache(self, url: str, raw: bytes) -> None:
        """Keep an answer to a poll; the oldest goes where there are many."""
        self._cache.pop(url, None)
        self._cache[url] = raw
        if len(self._cache) > _CACHED:
            del self._cache[next(iter(self._cache))]

    def close_idle(self) -> None:
        """Close all connections on which nothing is awaited, as the restart of a pool does."""
        for line in list(self._lines):
            if line.is_idle:
                line.close()
