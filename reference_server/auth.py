"""Who asks: the bearer token of a request, and the owner that it stands for."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from sendpoll.reference_server.responses import UnauthorizedError

Headers = Iterable[tuple[bytes, bytes]]

_MISSING = "Send the header Authorization: Bearer <token>."
_UNKNOWN = "This token is not known here."


class Tokens:
    """The tokens that are known. An owner is a token's SHA-256, so the database never holds a token."""

    def __init__(self, tokens: Iterable[str]) -> None:
        self._owners = [hashlib.sha256(token.encode()).digest() for token in tokens]

    def owner(self, headers: Headers) -> bytes:
        """The owner that a request's headers speak for. Raises UnauthorizedError."""
        given = [value for name, value in headers if name == b"authorization"]
        if len(given) != 1:
            raise UnauthorizedError("unauthorized", _MISSING)
        scheme, _, token = given[0].partition(b" ")
        if scheme.lower() != b"bearer":
            raise UnauthorizedError("unauthorized", _MISSING)
        digest = hashlib.sha256(token.strip(b" ")).digest()
        # Every token is compared, and in constant time, so the time tells nothing about any of them.
        matches = [owner for owner in self._owners if hmac.compare_digest(owner, digest)]
        if not matches:
            raise UnauthorizedError("unauthorized", _UNKNOWN)
        return matches[0]
