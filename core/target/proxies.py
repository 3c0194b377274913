"""Which proxy leads to a server, by the environment, as requests and curl read it.

`http_proxy`, `https_proxy` and `all_proxy`, the lower case before the upper, name it; `no_proxy` lists what is asked
directly: `*`, names with all below them, addresses, networks such as 10.0.0.0/8, each perhaps with a port. This machine
itself is always asked directly: a proxy elsewhere would ask another one, and one that is dead would say nothing about
the server.
"""

from __future__ import annotations

import base64
import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from sendpoll.core.target.url import TargetError, is_loopback


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that is spoken to in plain HTTP."""

    host: str
    port: int
    authorization: str = field(default="", repr=False)
    """Value of Proxy-Authorization; empty where the proxy's URL has no user name."""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """What must never be written."""

    @property
    def name(self) -> str:
        """Host and port as people write them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def named_proxy(url: SplitResult, proxies: Mapping[str, str]) -> str | None:
    """The URL of the proxy that `proxies` names for a server, wherever the server is.

    `proxies` is what `urllib.request.getproxies` returns: scheme to URL, and under `no` the exceptions.
    """
    named = proxies.get(url.scheme) or proxies.get("all")
    return None if not named or excepted(url, proxies.get("no", "")) else named


def proxy_to(url: SplitResult, proxies: Mapping[str, str]) -> Proxy | None:
    """The proxy through which a server is asked; None where it is asked directly. Raises TargetError."""
    named = None if is_loopback(url.hostname or "") else named_proxy(url, proxies)
    if named is None:
        return None
    try:
        parts = urlsplit(named if "://" in named else f"http://{named}")
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise TargetError(f"the proxy for {url.scheme} has a host or a port that is none; mend it, {_UNSET}") from error
    if parts.scheme != "http" or not host:
        told = f"a {parts.scheme}:// one" if parts.scheme != "http" else "one without a host"
        raise TargetError(f"the proxy of the environment for {url.scheme} is {told}; give an http:// one, {_UNSET}")
    if not parts.username:
        return Proxy(host, port)
    password = unquote(parts.password or "")
    encoded = base64.b64encode(f"{unquote(parts.username)}:{password}".encode()).decode()
    return Proxy(host, port, f"Basic {encoded}", (encoded, *filter(None, (password, parts.password))))


_UNSET = "or list the server in no_proxy"


def excepted(url: SplitResult, exceptions: str) -> bool:
    """Whether a `no_proxy` list has the host of a URL."""
    port = url.port or (443 if url.scheme == "https" else 80)
    return any(_matches(entry, url.hostname or "", port) for entry in re.split(r"[\s,]+", exceptions.lower()) if entry)


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, its_port = _split(entry)
    if its_port is not None and its_port != port:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        suffix = name.removeprefix("*").removeprefix(".").rstrip(".")
        return bool(suffix) and (host.rstrip(".") == suffix or host.rstrip(".").endswith(f".{suffix}"))
    try:
        return address in ipaddress.ip_network(name, strict=False)
    except ValueError:
        return False


def _split(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry; an IPv6 address has its port behind brackets."""
    found = re.fullmatch(r"\[(?P<six>[^\]]*)\](?P<rest>.*)|(?P<host>[^:]*)(?::(?P<port>[0-9]{1,5}))?", entry)
    if found is None:
        return entry, None
    if found["six"] is not None:
        port = re.fullmatch(r":([0-9]{1,5})", found["rest"])
        return found["six"] + (found["rest"] if found["rest"].startswith("/") else ""), int(port[1]) if port else None
    return found["host"], int(found["port"]) if found["port"] else None
