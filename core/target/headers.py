"""The headers that a user adds to every request: which may be, and which of them are secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from sendpoll.core.target.url import TargetError

Headers = tuple[tuple[str, str], ...]

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_OWN: Final = frozenset(
    {
        "authorization",
        "host",
        "content-length",
        "transfer-encoding",
        "content-type",
        "connection",
        "accept-encoding",
        "expect",
        "proxy-authorization",
        "te",
        "upgrade",
    }
)
"""Headers that decide how a message is read or who asks; to send another one than ours would judge another request."""
_PUBLIC: Final = frozenset(
    {"accept", "accept-language", "cache-control", "dnt", "origin", "pragma", "priority", "referer", "user-agent"}
)
"""Headers that say nothing about who asks."""
_SECRET_WORD: Final = 8
"""Characters from which on a word of a header such as Cookie counts as a secret of its own."""


def check_headers(headers: Headers) -> None:
    """Raise TargetError where a header is none, is ours to set, or is there twice."""
    seen: set[str] = set()
    for name, value in headers:
        if not _NAME.fullmatch(name):
            raise TargetError(f"{name!r} is no name of a header; write it as NAME: VALUE")
        if not re.fullmatch(r"[\t -~]*", value):
            raise TargetError(f"the header {name} has a value that no request carries; give it in printable ASCII")
        if name.lower() in _OWN:
            raise TargetError(f"the header {name} is the suite's own to set; leave it out")
        if name.lower() in seen:
            raise TargetError(f"the header {name} is given twice; a server may take the first or the last: give one")
        seen.add(name.lower())


def secret_headers(headers: Headers, public: Iterable[str]) -> frozenset[str]:
    """The names, in lower case, of the headers whose values must not be shown: all that are not told to be public."""
    return frozenset(name.lower() for name, _ in headers) - _PUBLIC - {name.lower() for name in public}


def secret_values(headers: Headers, names: frozenset[str]) -> Iterator[str]:
    """The values of these headers, and the longer words of each."""
    for name, value in headers:
        if name.lower() in names:
            yield value
            yield from (word for word in re.split(r"[\s;,=]+", value) if len(word) >= _SECRET_WORD)


def with_own(headers: Headers, own: Headers) -> Headers:
    """What is sent by a client that was given headers of a user: each in the place of its own one, or behind them."""
    told = {name.lower(): (name, value) for name, value in own}
    kept = tuple(told.pop(name.lower(), (name, value)) for name, value in headers)
    return (*kept, *told.values())
