"""Finds the API's calls among whatever was recorded: any scheme, host and base path, and the paths of the contract."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from sendpoll.schemas.endpoints import Endpoint, endpoints

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A request of the API, taken out of its URL."""

    base: str
    """Scheme, authority and base path of the server, as `check` is given it."""
    target: str
    """Path and query behind that, as they were asked."""
    operation: str
    """The operationId; empty where the path is the API's and the method is not."""
    path_of: tuple[str, ...]
    """The operations whose path it is, be the method another one: what a preflight asks for."""
    ids: Mapping[str, str]
    """The parameters of the path, decoded."""


def find_call(method: str, url: str) -> ApiCall | None:
    """The call that a request is; None where its path is none of the API's."""
    if not may_be_call(url):
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS:
        return None
    matches = [(endpoint, found) for endpoint, pattern in _patterns() if (found := pattern.fullmatch(parts.path))]
    if not matches:
        return None
    endpoint, found = next((one for one in matches if one[0].method == method.upper()), matches[0])
    authority = parts.netloc.rpartition("@")[2].lower().removesuffix(_DEFAULT_PORTS[parts.scheme])
    path = parts.path[found.end("base") :]
    ids = {name: unquote(value, errors="replace") for name, value in found.groupdict().items() if name != "base"}
    return ApiCall(
        base=f"{parts.scheme}://{authority}{found.group('base')}",
        target=f"{path}?{parts.query}" if parts.query or url.partition("#")[0].endswith("?") else path,
        operation=endpoint.operation if endpoint.method == method.upper() else "",
        path_of=tuple(one.operation for one, _ in matches),
        ids=ids,
    )


def may_be_call(url: str) -> bool:
    """Whether a URL can be one of the API's: a quick look, for files that hold much else."""
    return _common_path() in url


@functools.cache
def _common_path() -> str:
    """What all paths of the API begin with."""
    first, *others = (endpoint.path for endpoint in endpoints().values())
    length = next(at for at in range(len(first)) if not all(one.startswith(first[: at + 1]) for one in others))
    return first[:length]


@functools.cache
def _patterns() -> tuple[tuple[Endpoint, re.Pattern[str]], ...]:
    return tuple((endpoint, _pattern(endpoint.path)) for endpoint in endpoints().values())


def _pattern(path: str) -> re.Pattern[str]:
    """A template as a pattern: the shortest base path is the one, and a parameter is one segment, or nothing."""
    parts = re.split(r"\{(\w+)\}", path)
    wanted = "".join(f"(?P<{part}>[^/]*)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
    return re.compile(rf"(?P<base>(?:/[^/]+)*?){wanted}")
