"""Who asks: the bearer token of a request, and the owner that it stands for."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from sendpoll.reference_server.pace import Pace
from sendpoll.reference_server.responses import UnauthorizedError

Headers = Iterable[tuple[bytes, bytes]]

_MISSING = "Send the header Authorization: Bearer <token>."
_UNKNOWN = "This token is not known here."


class Tokens:
    """The tokens that are known. An owner is a token's SHA-256, so the database never holds a token."""

    def __init__(self, tokens: Iterable[str], pace: Pace | None = None) -> None:
        """`pace` bounds the requests of each token, and of all that bring none that is known."""
        self._owners = [hashlib.sha256(token.encode()).digest() for token in tokens]
        self._pace = pace

    def owner(self, headers: Headers) -> bytes:
        """The owner that a request's headers speak for. Raises UnauthorizedError, PaceError."""
        given = [value for name, value in headers if name == b"authorization"]
        scheme, _, token = given[0].partition(b" ") if len(given) == 1 else (b"", b"", b"")
        is_bearer = scheme.lower() == b"bearer"
        owner = self._known(token.strip(b" ")) if is_bearer else None
        if self._pace is not None:
            self._pace.admit(owner)
        if owner is None:
            raise UnauthorizedError("unauthorized", _UNKNOWN if is_bearer else _MISSING)
        return owner

    def _known(self, token: bytes) -> bytes | None:
        digest = hashlib.sha256(token).digest()
        # Every token is compared, and in constant time, so the time tells nothing about any of them.
        matches = [owner for owner in self._owners if hmac.compare_digest(owner, digest)]
        return matches[0] if matches else None
