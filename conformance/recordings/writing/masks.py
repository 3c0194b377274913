"""What all writers of recordings share: secrets out, by value, and the tokens of all requests among them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Protocol

from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.core.text.secrets import HIDDEN, MASK, Redactor

_CREDENTIALS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_BEARER = re.compile(r"bearer +(\S+)", re.IGNORECASE)
MOST_TOKENS = 1000
"""Tokens of a recording that are masked by value; a recording of more clients is masked by the names of headers."""


class RecordingWriter(Protocol):
    """Writes a recording, one exchange at a time."""

    def add(self, recorded: RecordedExchange) -> None:
        """Write one exchange. Raises OSError."""

    def close(self) -> None:
        """End the recording; the stream stays open. Raises OSError."""


def token_of(recorded: RecordedExchange) -> str:
    """The credentials that a request bears in Authorization, without the scheme of a Bearer; empty where none."""
    value = recorded.request_header("authorization") or ""
    bearer = _BEARER.fullmatch(value.strip())
    return bearer.group(1) if bearer else value.strip()


class Masks:
    """Takes secrets out of what is written: those that are known, and every one that a request was seen to bear."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._redactor = Redactor(secrets)
        self._known = {MASK, HIDDEN, *secrets}

    def learn(self, recorded: RecordedExchange) -> None:
        """Mask the credentials of this request from now on."""
        token = token_of(recorded)
        if token and token not in self._known and len(self._known) < MOST_TOKENS:
            self._known.add(token)
            self._redactor.learn(token)

    def data(self, value: Any) -> Any:
        """The JSON value with every secret masked."""
        return self._redactor.data(value)

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Headers with what is secret by its name hidden; the scheme of an Authorization stays."""
        return [(name, _hidden(value) if name.lower() in _CREDENTIALS else value) for name, value in headers]


def _hidden(value: str) -> str:
    scheme, space, rest = value.partition(" ")
    return f"{scheme} {MASK}" if space and rest and scheme.isalpha() else HIDDEN
