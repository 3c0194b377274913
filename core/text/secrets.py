"""Secrets are taken out of everything that is written, by value, wherever and however they occur.

Redaction by header name misses a server that echoes the token in a body; this looks for the value itself. What is held:

- the value as it is, in any case, and with any of its characters escaped, once or more often, in the ways of URLs,
  JSON, HTML and program text;
- in hexadecimal, its bytes together or apart; in base64 and base32 at each alignment that a longer text gives it, so
  within `Bearer TOKEN` and `USER:TOKEN` too; backwards;
- a piece of ten characters or more of any of these, where a text was cut;
- a value of fewer than four characters as a word of its own alone: anything else would garble every other word.

What cannot be held: a server knows the token and can write it in a way that nobody foresees, such as compressed,
encrypted, spelt out or a few characters at a time. Who shows a report of a server that is not trusted takes the token
out of use.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

MASK = "[token]"
"""What stands in a report where a token stood."""
HIDDEN = "[secret]"
"""What stands there in place of any other secret, such as the value of a header."""

SHORT = 4
"""Characters below which a secret is masked only as a word of its own: else a token `T` would garble every POST."""
_PIECE = 10
"""Characters in a row of a longer secret that are masked as the secret is."""
_ENTITIES = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}


def literal(secret: str) -> str:
    """A regular expression of the secret as it is; of a short one, as a word of its own."""
    return re.escape(secret) if len(secret) >= SHORT else rf"(?<![0-9A-Za-z]){re.escape(secret)}(?![0-9A-Za-z])"


class Redactor:
    """Takes the secrets that it was made with out of texts and of JSON values."""

    def __init__(self, secrets: Iterable[str] | Mapping[str, str]) -> None:
        """`secrets` are tokens, or all kinds of secrets, each with what is to stand in its place."""
        self._masks = dict(secrets) if isinstance(secrets, Mapping) else dict.fromkeys(secrets, MASK)
        self._prepare()

    def learn(self, token: str) -> None:
        """Mask another token from now on, such as one that was fetched in mid-run."""
        self._masks[token] = MASK
        self._prepare()

    def _prepare(self) -> None:
        longest_first = sorted(filter(None, self._masks), key=lambda secret: (-len(secret), secret))
        forms = [(form, self._masks[secret]) for secret in longest_first for form in _forms(secret)]
        pattern = re.compile("|".join(f"({form})" for form, _ in forms), re.IGNORECASE) if forms else None
        pieces = {piece: self._masks[secret] for secret in reversed(longest_first) for piece in _pieces(secret)}
        self._ready = pattern, tuple(mask for _, mask in forms), pieces

    def text(self, text: str) -> str:
        """The text with every form of every secret masked."""
        pattern, masks, pieces = self._ready
        if pattern is None:
            return text
        return _without_pieces(pattern.sub(lambda found: masks[(found.lastindex or 1) - 1], text), pieces)

    def data(self, value: Any, own: Collection[str] = ()) -> Any:
        """The JSON value with every text in it masked.

        Its keys stay, and so do the texts in `own`, which are the format's own words: a token `fail` is in every report
        without having been told by anybody.
        """
        if isinstance(value, str):
            return value if value in own else self.text(value)
        if isinstance(value, dict):
            return {key: self.data(item, own) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.data(item, own) for item in value]
        return value


def _without_pieces(text: str, pieces: Mapping[str, str]) -> str:
    kept: list[str] = []
    copied = at = 0
    while at + _PIECE <= len(text):
        mask = pieces.get(text[at : at + _PIECE])
        if mask is None:
            at += 1
            continue
        kept += text[copied:at], mask
        while text[at + 1 : at + 1 + _PIECE] in pieces:
            at += 1
        copied = at = at + _PIECE
    return "".join([*kept, text[copied:]])


def _forms(secret: str) -> Iterator[str]:
    """Regular expressions, their case ignored, of the ways in which a text can hold the whole secret."""
    spelt = "".join(map(_character, secret))
    if len(secret) < SHORT:
        yield f"(?<![0-9A-Za-z]){spelt}(?![0-9A-Za-z])"
        return
    yield spelt
    raw = secret.encode("utf-8", "surrogatepass")
    yield "[ :-]?".join(f"{byte:02x}" for byte in raw)
    for encoded in (secret[::-1], *_base64_forms(raw), *_base32_forms(raw)):
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


def _base32_forms(raw: bytes) -> Iterator[str]:
    """The same of a base32 text."""
    for shift in range(5):
        encoded = base64.b32encode(b"\0" * shift + raw).rstrip(b"=").decode()
        yield encoded[(shift * 8 + 4) // 5 : (shift + len(raw)) * 8 // 5]


def _pieces(secret: str) -> Iterator[str]:
    """What a cut can leave of the secret's forms, in pieces of equal length."""
    raw = secret.encode("utf-8", "surrogatepass")
    coded = (*_base64_forms(raw), *_base32_forms(raw))
    plain = (secret, secret[::-1], quote(raw, safe=""), raw.hex(), raw.hex(" "), *coded)
    for form in plain:
        for start in range(len(form) - _PIECE + 1):
            yield form[start : start + _PIECE]
