"""TCP connections under a total deadline, the look-up of the name included."""

from __future__ import annotations

import queue
import socket
import threading
import time

Address = tuple[str, int]


class NameTimeoutError(TimeoutError):
    """The name was not resolved in time."""


def dial(host: str, port: int, within: float) -> socket.socket:
    """Connect to the first address of a name that takes the connection, all within so many seconds.

    Raises OSError, of the first address where none does, and UnicodeError for what is no name.
    """
    until = time.monotonic() + within
    refused: OSError | None = None
    for address in _addresses(host, port, within):
        try:
            return socket.create_connection(address, timeout=max(0.01, until - time.monotonic()))
        except OSError as error:
            refused = refused or error
    raise refused or OSError("its name has no address")


def _addresses(host: str, port: int, within: float) -> list[Address]:
    """Look a name up in a thread that may be left behind: the system's resolver takes no deadline."""
    found: queue.SimpleQueue[list[Address] | OSError | UnicodeError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([(str(answer[4][0]), port) for answer in answers])
        except (OSError, UnicodeError) as error:
            found.put(error)

    threading.Thread(target=look_up, daemon=True).start()
    try:
        answer = found.get(timeout=within)
    except queue.Empty:
        raise NameTimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer
