"""What is to be watched beside the load: pages of Prometheus text, and processes of this machine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


class ObserveError(ValueError):
    """What was to be watched cannot be; the message names the option's value and the mend."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that is watched."""

    urls: tuple[str, ...] = ()
    """Pages as they are asked for, with a user name and a password where the person gave them."""
    pids: tuple[int, ...] = ()
    """The roots of process trees."""

    def __bool__(self) -> bool:
        """Whether there is anything to watch."""
        return bool(self.urls or self.pids)


def metrics_url(text: str) -> str:
    """The page that `--observe` means: a bare server's is `/metrics`. Raises ObserveError."""
    mend = "give the page that Prometheus would scrape, such as http://localhost:8091/metrics"
    try:
        parts = urlsplit(text)
        sound = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # what it says may hold a password
        sound = False
    if not sound or not re.fullmatch(r"[!-~]+", text):
        raise ObserveError(f"this is no URL; {mend}")
    return urlunsplit(parts._replace(path=parts.path if parts.path.strip("/") else "/metrics", fragment=""))


def name_of(url: str) -> str:
    """A URL as reports name it: without user name, password and query, which may be secret."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
