"""What a body broke that does not end as it was announced; a chunked one says so itself."""

from __future__ import annotations

from sendpoll.core.http.head import Fault


def length_cut(how: str, missing: int) -> Fault:
    """The server stopped before the announced length; `how` says what it did instead of going on."""
    return Fault("HTTP-1", f"the server {how} {missing} bytes before the announced length")


def unended(how: str) -> Fault:
    """Nothing but the connection's end could end the body, and the server did something else."""
    return Fault("HTTP-1", f"the answer has no length, and the server {how} instead of closing the connection")


def goes_on(length: int | None) -> Fault:
    """The body is no JSON at its announced end, and more bytes stand behind it; `length` is None for a chunked one."""
    if length is None:
        return Fault("HTTP-3", "the body goes on behind its last chunk")
    return Fault("HTTP-1", f"the body goes on behind its announced length of {length} bytes")
