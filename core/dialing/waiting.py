"""Waits until a server answers: it may have been started a moment ago."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from sendpoll.core.dialing.dial import Dialer, DialError
from sendpoll.core.target.target import Target

_BETWEEN: Final = 0.25
_ANSWER_SECONDS: Final = 5.0
_NOT_YET: Final = frozenset({b"502", b"503", b"504"})
"""What stands before a server says this while the server behind it is on its way."""


def wait_until_it_answers(target: Target, seconds: float, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Ask until an answer comes, for at most so many seconds; whether one came. Raises TargetError.

    A connection that is taken is not enough: what forwards a port takes it before the server is there. The token is
    not sent.
    """
    dialer, until = Dialer(target), time.monotonic() + seconds
    while True:
        if answers_now(target, dialer, min(_ANSWER_SECONDS, max(0.05, until - time.monotonic()))):
            return True
        if time.monotonic() >= until:
            return False
        sleep(_BETWEEN)


def answers_now(target: Target, dialer: Dialer, within: float) -> bool:
    """Whether a request without a token has an answer within so many seconds, and none that says: not yet."""
    absolute = f"http://{target.url.netloc}" if target.proxy and not target.is_tls else ""
    lines = [f"GET {absolute}{target.path_prefix}/ HTTP/1.1", f"Host: {target.url.netloc}", "Connection: close"]
    if target.proxy and target.proxy.authorization and not target.is_tls:
        lines.append(f"Proxy-Authorization: {target.proxy.authorization}")
    try:
        connection = dialer.dial(within)
    except DialError as error:
        return error.kind == "tls"  # it is there; what is wrong with it is told by whoever speaks to it next
    try:
        connection.settimeout(within)
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        said = connection.recv(64)
    except OSError:
        return False
    finally:
        connection.close()
    return bool(said) and said[9:12] not in _NOT_YET
