"""`serving(fault)`: a server on loopback that is right but for one fault, and that sees when a client never ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

from sendpoll.conformance.client.serving.responder import Hooks, Served
from sendpoll.conformance.client.serving.server import ScriptedServer
from tests.clients.fault import TOKEN, Fault

POLL_LIMIT = 15
"""Polls of one task, where a right client needs three: proof that the client never ends."""


@dataclass(slots=True)
class _Watcher:
    endless: threading.Event = field(default_factory=threading.Event)
    polls: int = 0

    def note(self, served: Served) -> None:
        self.polls += served.request.call == "pollTask"
        if self.polls > POLL_LIMIT:
            self.endless.set()


class FaultyServer(ScriptedServer):
    """Serves one fault until `close()`."""

    def __init__(self, fault: Fault) -> None:
        watcher = _Watcher()
        self.endless = watcher.endless
        """Set when a client is seen never to end: it polls on and on, or waits for what will never come."""
        super().__init__(fault, TOKEN, Hooks(on_request=watcher.note, on_hang=self.endless.set))
        if ":" in fault.host:  # what such a server breaks depends on what a name leads to
            self.url = f"http://localhost:{self.port}"


@contextlib.contextmanager
def serving(fault: Fault) -> Iterator[FaultyServer]:
    """A server with that fault, for as long as the context lasts."""
    with FaultyServer(fault) as server:
        yield server
