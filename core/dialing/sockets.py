"""What a connection is made of, so that threads and greenlets dial alike."""

from __future__ import annotations

import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

Address = tuple[int, int, int, tuple[Any, ...]]
"""Family, type, protocol, and what `connect` takes."""


class NameTimeoutError(TimeoutError):
    """The name was not resolved in time."""


@dataclass(frozen=True, slots=True)
class Sockets:
    """The pieces of one kind of concurrency; each is used as the standard library's is."""

    make: Callable[..., Any]
    """`socket.socket`."""
    poll: Callable[[], Any]
    """`select.poll`."""
    context: Callable[[int], Any]
    """`ssl.SSLContext`: a context makes sockets that wait in the way of its kind."""
    look_up: Callable[[str, int, float], list[Address]]
    """The addresses of a host and port, within so many seconds. Raises OSError, UnicodeError, NameTimeoutError."""


def address_of(answer: tuple[Any, ...]) -> Address:
    """One answer of `getaddrinfo`."""
    family, kind, protocol, _, where = answer
    return int(family), int(kind), int(protocol), tuple(where)


def _look_up(host: str, port: int, within: float) -> list[Address]:
    """Look a name up in a thread that may be left behind: the system's resolver takes no deadline."""
    found: queue.SimpleQueue[list[Address] | OSError | UnicodeError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            found.put([address_of(answer) for answer in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = found.get(timeout=within)
    except queue.Empty:
        raise NameTimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


THREADS: Final = Sockets(make=socket.socket, poll=select.poll, context=ssl.SSLContext, look_up=_look_up)
"""The standard library's: a wait blocks its thread."""
