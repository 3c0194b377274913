"""What `sendpoll check` must say of each server of the collection, as a table: the file's name, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a run must come to."""

    exit_codes: frozenset[int]
    failed: frozenset[str] = frozenset()
    """Rows of which at least one must fail; none where empty."""
    also: frozenset[str] = frozenset()
    """Other MUST rows that may fail with them."""
    green: frozenset[str] = frozenset()
    """Rows that must not fail, SHOULD ones too."""
    says: str = ""
    """A regular expression that must be found in what is printed."""
    options: tuple[str, ...] = ()
    url: str = "http://127.0.0.1:{port}"
    seeds: tuple[int, ...] = (1,)
    enough: int = 0
    """Of how many seeds it must hold; of all where 0."""


def _green(*, may_be_open: bool = False, **more: Any) -> Expected:
    return Expected(exit_codes=frozenset({0, 3} if may_be_open else {0}), **more)


def _red(*rows: str, also: frozenset[str] = frozenset(), **more: Any) -> Expected:
    return Expected(exit_codes=frozenset({1}), failed=frozenset(rows), also=also, **more)


_LATE = frozenset({"POLL-5", "POLL-7"})
"""What a log whose tail comes late breaks for readers who came before it."""

EXPECTED: Mapping[str, Expected] = {
    "00-right": _green(),
    "01-limit-per-minute": _green(may_be_open=True),
    "02-limit-nginx-503": _green(may_be_open=True),
    "03-limit-http-date": _green(may_be_open=True),
    "04-gzip-members": _green(),
    "05-ttl-after-end": _green(may_be_open=True),
    "06-offsets-epoch": _green(green=frozenset({"FROM-2", "FROM-3", "FROM-4", "FROM-5", "POLL-12"})),
    "07-waf-user-agent": _red("REQ-4", also=frozenset({"ENC-2"})),
    "08-one-at-a-time": _green(may_be_open=True, green=frozenset({"POLL-9", "QUEUE-1"})),
    "10-cors-allow-list": _green(options=("--origin", "https://app.example")),
    "11-http2-only": Expected(exit_codes=frozenset({1, 3}), also=frozenset({"HTTP-4"}), says="HTTP/2"),
    "12-ipv6-only": _red("REQ-11", url="http://[::1]:{port}"),
    "14-replica-lag": _red("POLL-8", also=_LATE),
    "15-flush-behind-status": _red("POLL-8", "POLL-7", also=_LATE, seeds=(1, 2, 3, 4, 5), enough=4),
    "16-emoji-halves-dropped": _red("ENC-1", "REQ-6", "POLL-5"),
    "17-slash-redirect": _red("REQ-9", says="curl"),
    "18-keep-alive-race": _red("HTTP-8", "HTTP-7"),
    "19-weak-etag": _red("POLL-11"),
    "20-workers-without-shared-state": _red("MSG-1", "MSG-2", "REQ-5", also=frozenset({"POLL-1", "CONV-1"})),
    "21-prefix": _green(url="http://127.0.0.1:{port}/agents/v2/"),
    "22-odd-dates": _green(),
    "23-json-nan": _red("JSON-2"),
    "24-opaque-cursor": _green(may_be_open=True),
    "26-emoji-empty-between": _red("ENC-1"),
}
