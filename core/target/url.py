"""What a URL of a server, and an origin of a page, may look like."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

DEFAULT_URL: Final = "http://localhost:8091"
"""Where the published examples look for the server."""


class TargetError(ValueError):
    """The target was described wrongly; the message names the input and the mend."""


def check_url(url: str) -> None:
    """Raise TargetError where a text is no base URL."""
    parts, port = _parts(url)
    if parts.username is not None or parts.query or parts.fragment:
        raise TargetError(
            f"the base URL to {parts.hostname!r} carries a query, a fragment or a user name; leave them out, as in "
            f"{DEFAULT_URL}"
        )
    if not re.fullmatch(r"[!-~]+", url):
        raise TargetError(f"{url!r} is no base URL: no request carries such characters; percent-encode them")
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        mend = f"give one such as {DEFAULT_URL}" if not url or ":/" in url else f"did you mean http://{url}?"
        raise TargetError(f"{url!r} is no base URL; {mend}")
    if not re.fullmatch(r"(?:/[^/]+)*/*", parts.path) or re.search(r"[\"<>\\^`{|}]", url):
        raise TargetError(f"{url!r} is no base URL: its path has empty parts or signs that no path has; mend it")


def _parts(url: str) -> tuple[SplitResult, int | None]:
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError as error:  # what it says may hold a password
        raise TargetError(f"the base URL has a host or a port that is none; give one such as {DEFAULT_URL}") from error


def check_origin(origin: str) -> None:
    """Raise TargetError where a text is no origin as a browser tells it (RFC 6454 section 6.1)."""
    if not re.fullmatch(r"https?://(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[1-9][0-9]{0,4})?", origin):
        raise TargetError(f"{origin!r} is no origin; write scheme, host and perhaps a port, as in https://app.example")


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own, by what it says."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
