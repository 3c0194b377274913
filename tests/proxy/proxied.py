"""A proxy in a thread before a server, for the length of a `with` block."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.core.target.target import Target
from sendpoll.proxy.faults import FaultRule
from sendpoll.proxy.relay import ProxyOrder, ProxyServer


@dataclass
class Proxied:
    """A proxy, and what it has seen."""

    url: str
    server: ProxyServer
    seen: list[RecordedExchange] = field(default_factory=list)
    told: list[str] = field(default_factory=list)


@contextlib.contextmanager
def proxied(target: Target, rules: Sequence[FaultRule] = ()) -> Iterator[Proxied]:
    """All that was seen is there when the block has ended."""
    seen: list[RecordedExchange] = []
    told: list[str] = []
    server = ProxyServer(ProxyOrder(target, rules=rules), seen.append, told.append)
    ready, urls = threading.Event(), list[str]()

    def listening(url: str) -> None:
        urls.append(url)
        ready.set()

    thread = threading.Thread(target=server.run, args=(listening,), name="proxy")
    thread.start()
    try:
        assert ready.wait(20)
        yield Proxied(urls[0], server, seen, told)
    finally:
        server.stop()
        thread.join(20)
