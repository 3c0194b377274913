"""Secrets are taken out of everything that is written, by value, wherever and however they occur.

Redaction by header name misses a server that echoes the token in a body; this looks for the value itself: as it is,
with any of its characters escaped in the ways of URLs, JSON, HTML and program text, in hexadecimal, and in base64 at
each of the three alignments that a longer text can give it. A piece of it, where a text was cut, goes too.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

MASK = "[token]"
"""What stands in a report where a secret stood."""

_SHORT = 4
"""Characters below which a secret is masked only as a word of its own: else a token `T` would garble every POST."""
_PIECE = 10
"""Characters in a row of a longer secret that are masked as the secret is."""
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


class Redactor:
    """Takes the secrets that it was made with out of texts and of JSON values."""

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = sorted({secret for secret in secrets if secret}, key=lambda secret: (-len(secret), secret))
        forms = [form for secret in longest_first for form in _forms(secret)]
        self._pattern = re.compile("|".join(forms), re.IGNORECASE) if forms else None
        self._pieces = frozenset(piece for secret in longest_first for piece in _pieces(secret))

    def text(self, text: str) -> str:
        """The text with every form of every secret masked."""
        if self._pattern is None:
            return text
        return self._without_pieces(self._pattern.sub(MASK, text))

    def _without_pieces(self, text: str) -> str:
        kept: list[str] = []
        copied = at = 0
        while at + _PIECE <= len(text):
            if text[at : at + _PIECE] not in self._pieces:
                at += 1
                continue
            kept += text[copied:at], MASK
            while text[at + 1 : at + 1 + _PIECE] in self._pieces:
                at += 1
            copied = at = at + _PIECE
        return "".join([*kept, text[copied:]])

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
    """Regular expressions, their case ignored, of the ways in which a text can hold the whole secret."""
    spelt = "".join(map(_character, secret))
    if len(secret) < _SHORT:
        yield f"(?<![0-9A-Za-z]){spelt}(?![0-9A-Za-z])"
        return
    yield spelt
    raw = secret.encode("utf-8", "surrogatepass")
    yield "[ :-]?".join(f"{byte:02x}" for byte in raw)
    for encoded in _base64_forms(raw):
        yield re.escape(encoded)


def _character(character: str) -> str:
    """A regular expression of the ways in which one character of a text can be written, twice escaped ones included.

    As it is, it stands last: % and the backslash begin their own escapes.
    """
    code = ord(character)
    ways = [
        "".join(f"%(?:25)*{byte:02x}" for byte in character.encode("utf-8", "surrogatepass")),
        rf"\\+u{code:04x}",
        rf"\\+x{code:02x}",
        f"&(?:amp;)*#0*{code};",
        f"&(?:amp;)*#x0*{code:x};",
    ]
    if character in _ENTITIES:
        ways.append(f"&(?:amp;)*{_ENTITIES[character]};")
    if character == " ":
        ways.append(r"\+")
    ways.append(re.escape(character) if character.isalnum() else rf"\\*{re.escape(character)}")
    return f"(?:{'|'.join(ways)})"


def _base64_forms(raw: bytes) -> Iterator[str]:
    """The characters of a base64 text that depend on the secret alone, by how many bytes stand before it."""
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=").decode()
        first = (shift * 8 + 5) // 6
        last = (shift + len(raw)) * 8 // 6
        core = encoded[first:last]
        yield core
        yield core.translate(str.maketrans("+/", "-_"))


def _pieces(secret: str) -> Iterator[str]:
    """What a cut can leave of the secret's forms, in pieces of equal length."""
    raw = secret.encode("utf-8", "surrogatepass")
    plain = (secret, quote(raw, safe=""), raw.hex(), raw.hex(" "), *_base64_forms(raw))
    for form in plain:
        for start in range(len(form) - _PIECE + 1):
            yield form[start : start + _PIECE]
