"""The server under test: one frozen description, from a target file, the command line, or both.

`check`, `load` and `plan` are all told the same way where the server is, who they are to it and how patient to be.
"""

from __future__ import annotations

import ipaddress
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import jsonschema
import yaml

from sendpoll.core.target.traits import Traits, declared_traits
from sendpoll.schemas.catalogue import load_catalogue
from sendpoll.schemas.contract import JSON, validator

DEFAULT_URL = "http://localhost:8091"
"""Where the published examples look for the server."""

_TOKEN = re.compile(r"[\x21-\x7e]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SECRET_WORD = 8
"""Characters from which on a word of a header such as Cookie counts as a secret of its own."""
_OWN_HEADERS = frozenset(
    {"authorization", "host", "content-length", "transfer-encoding", "content-type", "connection", "accept-encoding"}
)


class TargetError(ValueError):
    """The target was described wrongly; the message names the input and the mend."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Patience, in seconds."""

    connect: float = 5.0
    exchange: float = 31.0
    """One request and its whole answer; a little more than the 30 s after which requests gives up."""
    task: float = 120.0
    """From sending a message until its task is final."""
    run: float = 300.0
    """A whole run of the suite."""

    def __post_init__(self) -> None:
        for name in ("connect", "exchange", "task", "run"):
            seconds = getattr(self, name)
            if not 0 < seconds < math.inf:
                raise TargetError(f"the timeout {name!r} is {seconds}; give seconds, more than none")


@dataclass(frozen=True, slots=True)
class Target:
    """A server under test, and who we are to it."""

    base_url: str = DEFAULT_URL
    """Scheme, authority and perhaps a path, without a slash at the end."""
    token: str = "<TOKEN>"  # noqa: S105 - the placeholder of the published examples, sent as it stands
    second_token: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    ca_file: Path | None = None
    verify_tls: bool = True
    workspace: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts = Timeouts()
    max_messages: int = 16
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    """What the user declares of its kind."""

    def __post_init__(self) -> None:
        _check_url(self.base_url)
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        for label, token in (("token", self.token), ("second token", self.second_token)):
            if token is not None and not _TOKEN.fullmatch(token):
                raise TargetError(f"the {label} has characters that no header can carry; give it in printable ASCII")
        for name, value in self.headers:
            _check_header(name, value)

    @property
    def url(self) -> SplitResult:
        """The base URL in its parts."""
        return urlsplit(self.base_url)

    @property
    def host(self) -> str:
        """Host name or address, an IPv6 one without its brackets."""
        return self.url.hostname or ""

    @property
    def port(self) -> int:
        """The port that the URL names, or its scheme's own."""
        return self.url.port or (443 if self.is_tls else 80)

    @property
    def is_tls(self) -> bool:
        """Whether the server is spoken to over TLS."""
        return self.url.scheme == "https"

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return self.host == "localhost" or self.host.endswith(".localhost") or _is_loopback(self.host)

    @property
    def path_prefix(self) -> str:
        """What stands before `/api/v1` in every request target; often nothing."""
        return self.url.path.rstrip("/")

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be written anywhere."""
        found = [self.token, self.second_token]
        for name, value in self.headers:
            if re.search(r"auth|token|key|secret|cookie", name, re.IGNORECASE):
                found += [value, *(word for word in re.split(r"[\s;,=]+", value) if len(word) >= _SECRET_WORD)]
        return tuple(secret for secret in found if secret and secret != Target.token_placeholder())

    @staticmethod
    def token_placeholder() -> str:
        """The word that the published examples leave for the reader's token; no secret."""
        return "<TOKEN>"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:  # what it says may hold a password
        raise TargetError(f"the base URL has a host or a port that is none; give one such as {DEFAULT_URL}") from error
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


def _check_header(name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise TargetError(f"{name!r} is no name of a header; write it as NAME: VALUE")
    if not re.fullmatch(r"[\t -~]*", value):
        raise TargetError(f"the header {name} has a value that no request carries; give it in printable ASCII")
    if name.lower() in _OWN_HEADERS:
        raise TargetError(f"the header {name} is the suite's own to set; leave it out")


def load_target(path: Path, environ: Mapping[str, str]) -> Target:
    """Read a target file.

    Raises TargetError where it cannot be read, is no YAML, names a variable that `environ` lacks, or breaks its
    schema (`files/target.json`).
    """
    try:
        parsed = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TargetError(f"{path}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TargetError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    described = _expand(parsed, environ, path)
    for broken in validator("files/target.json").iter_errors(described):
        where = "/".join(str(part) for part in broken.absolute_path) or "the file"
        raise TargetError(f"{path}: {where}: {_sentence(broken)}")
    for identifier in described.get("not_applicable", {}):
        if identifier not in load_catalogue().by_id:
            raise TargetError(f"{path}: not_applicable: {identifier} is no row; `sendpoll requirements` lists them")
    target = _target_of(described, path)
    if target.ca_file is not None and not target.ca_file.is_file():
        raise TargetError(f"{path}: tls/ca_file: there is no file {target.ca_file}")
    return target


def _sentence(broken: jsonschema.ValidationError) -> str:
    """What is wrong, without the value: it may be a token out of the environment."""
    if broken.validator == "additionalProperties" and isinstance(broken.instance, dict):
        known = broken.schema["properties"] if isinstance(broken.schema, dict) else {}
        unknown = next(key for key in broken.instance if key not in known)
        return f"{unknown!r} is not known here; known are {', '.join(known)}"
    if broken.validator == "type" and not broken.absolute_path:
        return f"is no mapping; write at least `url: {DEFAULT_URL}`"
    if broken.validator in {"required", "propertyNames"}:
        return broken.message
    return f"does not satisfy {broken.validator} {json.dumps(broken.validator_value)}"


def _expand(node: Any, environ: Mapping[str, str], path: Path) -> Any:
    if isinstance(node, dict):
        return {key: _expand(value, environ, path) for key, value in node.items()}
    if isinstance(node, list):
        return [_expand(item, environ, path) for item in node]
    if not isinstance(node, str):
        return node

    def value_of(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environ:
            raise TargetError(f"{path}: the environment variable {name} is not set; set it or write its value")
        return environ[name]

    return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value_of, node)


def _target_of(described: JSON, path: Path) -> Target:
    tls = described.get("tls", {})
    target = Target(
        base_url=described["url"],
        second_token=described.get("second_token"),
        headers=tuple(described.get("headers", {}).items()),
        ca_file=path.parent / tls["ca_file"] if "ca_file" in tls else None,
        verify_tls=tls.get("verify", True),
        workspace=described.get("workspace"),
        prompts=described.get("prompts", {}),
        timeouts=Timeouts(**described.get("timeouts", {})),
        not_applicable=described.get("not_applicable", {}),
        traits=declared_traits(described["traits"]) if "traits" in described else Traits(),
    )
    told = {key: described[key] for key in ("token", "max_messages") if key in described}
    return replace(target, **told)
