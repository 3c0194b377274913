"""What all writers of recordings share: secrets out, by value, and the tokens of all requests among them."""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable
from typing import Protocol

from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.core.text.secrets import HIDDEN, MASK, SHORT, Redactor

CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"})
"""The names, in lower case, of headers whose values are secrets whatever they say."""
_SCHEMES = frozenset({"bearer", "basic", "digest", "token"})
MOST_TOKENS = 5000
"""Tokens of a recording that are masked by value; those of further clients are hidden where they stand in headers."""
_THOROUGHLY = 5
"""Secrets, those that stand for others among them, that are looked for in all their forms."""


class RecordingWriter(Protocol):
    """Writes a recording, one exchange at a time."""

    def add(self, recorded: RecordedExchange) -> None:
        """Write one exchange. Raises OSError."""

    def close(self) -> None:
        """End the recording; the stream stays open. Raises OSError."""


def token_of(recorded: RecordedExchange) -> str:
    """The credentials that a request bears in Authorization, without their scheme; empty where there are none."""
    scheme, _, credentials = (recorded.request_header("authorization") or "").strip().partition(" ")
    return credentials.strip() or ("" if scheme.lower() in _SCHEMES else scheme)


class Masks(Redactor):
    """Takes secrets out of what is written: those that are known, and every one that a request was seen to bear.

    The first are looked for in all their forms. Of more, as a proxy before many users sees them, it is the value alone
    that is looked for: to look for all forms of a hundred secrets takes a minute a page.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        given = [secret for secret in secrets if secret]
        super().__init__(given)
        self.first = MASK
        """The first token that a request bore: what a command that sends one again has a variable for."""
        self._known = {MASK, HIDDEN, *given}
        self._others: list[str] = []
        """The longest first, so that none is cut by another that is a part of it."""

    def learn_from(self, recorded: RecordedExchange) -> None:
        """Mask the credentials of this request from now on."""
        token = token_of(recorded)
        if token and self.first == MASK:
            self.first = token
        if not token or token in self._known or len(self._known) >= MOST_TOKENS:
            return
        self._known.add(token)
        if len(self._known) <= _THOROUGHLY:
            self.learn(token)
        elif len(token) >= SHORT:
            bisect.insort(self._others, token, key=lambda other: -len(other))

    def text(self, text: str) -> str:
        """The text with every secret masked."""
        found = [token for token in self._others if token in text]  # of thousands: a pattern of all takes seconds
        if found:
            text = re.sub("|".join(map(re.escape, found)), MASK, text)
        return super().text(text)

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Headers with what is secret by its name hidden; the scheme of an Authorization stays."""
        return [(name, _hidden(value) if name.lower() in CREDENTIALS else value) for name, value in headers]


def _hidden(value: str) -> str:
    scheme, space, rest = value.partition(" ")
    return f"{scheme} {MASK}" if space and rest and scheme.isalpha() else HIDDEN
