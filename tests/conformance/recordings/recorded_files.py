"""The recordings that real tools made, and what has to be said of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).with_name("files")


@dataclass(frozen=True, slots=True)
class Recording:
    """One file, and what it is of."""

    file: str
    tool: str
    """`chromium`, `mitmproxy`, or `mitmproxy-har`, which is its export."""
    client: str
    server: str
    """`right`, or the name of a mutant."""
    fails: frozenset[str] = frozenset()
    """The MUST rows that the recording shows broken."""


def _of(server: str, *fails: str) -> list[Recording]:
    return [
        Recording(f"{server}.chromium.har", "chromium", "browser", server, frozenset(fails)),
        Recording(f"{server}.mitmproxy.har", "mitmproxy-har", "python", server, frozenset(fails)),
        Recording(f"{server}.flows", "mitmproxy", "node", server, frozenset(fails)),
    ]


RECORDINGS: tuple[Recording, ...] = (
    *_of("right"),
    *_of("offset-stuck", "POLL-5"),
    *_of("next-offset-string", "POLL-3"),
    *_of("task-id-renamed", "MSG-1"),
    *_of("poll-max-age", "POLL-11"),
)
