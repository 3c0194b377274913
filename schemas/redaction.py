"""Secrets are taken out of everything that is written, by value, wherever and however they occur.

Redaction by header name misses a server that echoes the token in a body; this looks for the value itself, as it is,
percent-encoded, JSON-escaped, and in base64 at each of the three alignments that a longer text can give it.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "[token]"
"""What stands in a report where a secret stood."""


class Redactor:
    """Takes the secrets that it was made with out of texts and of JSON values."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first)) if longest_first else None

    def text(self, text: str) -> str:
        """The text with every form of every secret masked."""
        return self._pattern.sub(MASK, text) if self._pattern else text

    def data(self, value: Any) -> Any:
        """The JSON value with every text in it masked; its keys are the format's own and stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.data(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value


def _forms(secret: str) -> Iterator[str]:
    """Regular expressions of the ways in which a text can hold the secret."""
    yield re.escape(secret)
    yield re.escape(html.escape(secret))
    yield re.escape(json.dumps(secret)[1:-1])
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret)):
        yield _any_case_of_escapes(quoted)
    yield "".join(f"%{byte:02x}" for byte in secret.encode()).join(("(?i:", ")"))
    yield secret.encode().hex().join(("(?i:", ")"))
    raw = secret.encode()
    for shift in range(3):
        yield from _base64_forms(raw, shift)


def _any_case_of_escapes(quoted: str) -> str:
    escaped = re.escape(quoted)
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda match: f"(?i:{match.group(0)})", escaped)


def _base64_forms(raw: bytes, shift: int) -> Iterator[str]:
    """The characters of a base64 text that depend on the secret alone when `shift` bytes stand before it."""
    encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=").decode()
    first = (shift * 8 + 5) // 6
    last = (shift + len(raw)) * 8 // 6
    core = encoded[first:last]
    if len(core) >= 6:
        yield re.escape(core)
        yield re.escape(core.translate(str.maketrans("+/", "-_")))
