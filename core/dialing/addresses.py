"""A name's addresses: in which order they are tried, and how one of them is reached though others are dead.

Happy eyeballs (RFC 8305), as curl, Node and browsers have it: the families take turns, and where an address has not
answered within a quarter of a second, the next one is tried beside it. The first to answer is taken.
"""

from __future__ import annotations

import errno
import itertools
import math
import os
import select
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sendpoll.core.dialing.sockets import Address, Sockets

ATTEMPT_DELAY: Final = 0.25
"""Seconds from one attempt to the next (RFC 8305 section 8)."""
_UNDER_WAY: Final = frozenset({errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EAGAIN})
_BELIEVED: Final = 30.0
"""Seconds for which a resolved name is believed: long enough that a thousand users do not ask at once."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A connection, and what it took."""

    socket: Any
    """In the mode of a new socket: it blocks."""
    address: Address
    passed: tuple[Address, ...]
    """Addresses that were tried before and did not answer, or refused."""


def in_turns(addresses: Sequence[Address]) -> list[Address]:
    """The addresses in their order, but with the families taking turns (RFC 8305 section 4)."""
    families = dict.fromkeys(address[0] for address in addresses)
    by_family = [[address for address in addresses if address[0] == family] for family in families]
    turns = itertools.zip_longest(*by_family)
    return [address for turn in turns for address in turn if address is not None]


def reach(addresses: Sequence[Address], until: float, sockets: Sockets) -> Reached:
    """Connect to the first address that takes the connection, before a moment of the monotonic clock.

    Raises OSError, that of the first address where each refuses, and TimeoutError where the time is over.
    """
    race = _Race(sockets)
    try:
        return race.run(list(addresses), until)
    finally:
        race.close()


class _Race:
    def __init__(self, sockets: Sockets) -> None:
        self._sockets = sockets
        self._poll = sockets.poll()
        self._open: dict[int, tuple[Any, Address]] = {}
        self._tried: list[Address] = []
        self._refused: OSError | None = None

    def run(self, waiting: list[Address], until: float) -> Reached:
        begin_at = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= until:
                raise TimeoutError
            if waiting and (now >= begin_at or not self._open):
                if (won := self._begin(waiting.pop(0))) is not None:
                    return won
                begin_at = now + ATTEMPT_DELAY
            elif not self._open:
                raise self._refused or OSError("its name has no address")
            elif (won := self._wait(min(until, begin_at if waiting else until) - now)) is not None:
                return won

    def _begin(self, address: Address) -> Reached | None:
        family, kind, protocol, where = address
        self._tried.append(address)
        try:
            made = self._sockets.make(family, kind, protocol)
        except OSError as error:
            self._refused = self._refused or error
            return None
        made.setblocking(False)
        self._open[made.fileno()] = made, address
        code = made.connect_ex(where)
        if code not in _UNDER_WAY:
            return self._ended(made.fileno(), code)
        self._poll.register(made.fileno(), select.POLLOUT)
        return None

    def _wait(self, seconds: float) -> Reached | None:
        for descriptor, _ in self._poll.poll(max(1, math.ceil(seconds * 1000))):
            self._poll.unregister(descriptor)
            made, _ = self._open[descriptor]
            code = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if (won := self._ended(descriptor, code)) is not None:
                return won
        return None

    def _ended(self, descriptor: int, code: int) -> Reached | None:
        made, address = self._open.pop(descriptor)
        if code == 0:
            made.setblocking(True)
            return Reached(made, address, tuple(tried for tried in self._tried if tried != address))
        made.close()
        self._refused = self._refused or OSError(code, os.strerror(code))
        return None

    def close(self) -> None:
        for made, _ in self._open.values():
            made.close()


class AddressBook:
    """The addresses of one host for many connections, of several threads."""

    def __init__(
        self, host: str, port: int, look_up: Callable[[str, int, float], list[Address]], *, spread: bool
    ) -> None:
        """With `spread`, each connection begins with the next address, so that all get their share."""
        self._host, self._port, self._look_up = host, port, look_up
        self._spread = spread
        self._known: list[Address] = []
        self._passed: frozenset[Address] = frozenset()
        self._until = 0.0
        self._turn = 0
        self.connections: Counter[str] = Counter()
        """Connections that were made to each address."""

    def order(self, within: float) -> list[Address]:
        """In which order to try them now; those that lately did not answer stand last. Raises as the look-up does."""
        now = time.monotonic()
        if not self._known or now > self._until:
            found = self._look_up(self._host, self._port, within)
            self._known, self._until, self._passed = in_turns(found), now + _BELIEVED, frozenset()
            self.connections.update({_told(address): 0 for address in self._known})
        known, passed = self._known, self._passed
        good = [address for address in known if address not in passed]
        start = self._turn % len(good) if good and self._spread else 0
        self._turn += 1
        return [*good[start:], *good[:start], *(address for address in known if address in passed)]

    def took(self, reached: Reached) -> None:
        """A connection was made."""
        self._passed = self._passed.union(reached.passed) - {reached.address}
        self.connections[_told(reached.address)] += 1

    def forget(self) -> None:
        """No address took a connection: look the name up again the next time."""
        self._known = []


def _told(address: Address) -> str:
    where = address[3]
    return f"[{where[0]}]:{where[1]}" if address[0] == socket.AF_INET6 else f"{where[0]}:{where[1]}"
