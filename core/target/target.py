"""The server under test: one frozen description, from a target file, the command line, or both.

`check`, `load` and `plan` are all told the same way where the server is, who they are to it and how patient to be.
"""

from __future__ import annotations

import math
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sendpoll.core.target.headers import Headers, check_headers, secret_headers, secret_values
from sendpoll.core.target.proxies import Proxy, proxy_to
from sendpoll.core.target.traits import Traits
from sendpoll.core.target.url import DEFAULT_URL, TargetError, check_origin, check_url, is_loopback
from sendpoll.core.text.secrets import HIDDEN, MASK, SHORT

_TOKEN: Final = re.compile(r"[\x21-\x7e]+")
PLACEHOLDER: Final = "<TOKEN>"
"""The word that the published examples leave for the reader's token; no secret."""


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
    token: str = PLACEHOLDER
    """Sent as it stands, the placeholder too."""
    tokens: tuple[str, ...] = ()
    """Tokens of more users than one, for load; `token` is the first of them where there are any."""
    token_command: tuple[str, ...] = ()
    """The program, and its arguments, that prints a token when the one that is there is refused."""
    second_token: str | None = None
    headers: Headers = ()
    public_headers: tuple[str, ...] = ()
    """The names of those among `headers` whose values may be shown."""
    ca_file: Path | None = None
    """Authorities to trust in TLS in place of the system's, as PEM."""
    verify_tls: bool = True
    client_cert: Path | None = None
    """Our own certificate, and those between it and its authority, as PEM."""
    client_key: Path | None = None
    """Its private key; where there is none it is in the file of the certificate."""
    origin: str | None = None
    """The origin of the page whose calls the server allows; without one, any page's are to be allowed."""
    workspace: str | None = None
    prompts: Mapping[str, str] = field(default_factory=dict)
    timeouts: Timeouts = Timeouts()
    max_messages: int = 16
    not_applicable: Mapping[str, str] = field(default_factory=dict)
    traits: Traits = field(default_factory=Traits)
    """What the user declares of its kind."""

    def __post_init__(self) -> None:
        check_url(self.base_url)
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        labelled = [("token", self.token), ("second token", self.second_token)]
        labelled += [(f"token {number} of the pool", token) for number, token in enumerate(self.tokens, start=1)]
        for label, token in labelled:
            if token is not None and not _TOKEN.fullmatch(token):
                raise TargetError(f"the {label} has characters that no header can carry; give it in printable ASCII")
        check_headers(self.headers)
        if self.client_key is not None and self.client_cert is None:
            raise TargetError("a client's key is given without its certificate; give both, --cert and --key")
        if self.origin is not None:
            check_origin(self.origin)

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
    def authority(self) -> str:
        """Host and port, an IPv6 address in brackets: what a tunnel is asked for."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_tls(self) -> bool:
        """Whether the server is spoken to over TLS."""
        return self.url.scheme == "https"

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return is_loopback(self.host)

    @property
    def path_prefix(self) -> str:
        """What stands before `/api/v1` in every request target; often nothing."""
        return self.url.path.rstrip("/")

    @property
    def proxy(self) -> Proxy | None:
        """The proxy that the environment names for it. Raises TargetError for one that cannot be used."""
        return proxy_to(self.url, urllib.request.getproxies())

    @property
    def secret_headers(self) -> frozenset[str]:
        """The names, in lower case, of the headers whose values must never be written."""
        return secret_headers(self.headers, self.public_headers)

    @property
    def secrets(self) -> Mapping[str, str]:
        """Every value that must never be written anywhere, with what stands in its place.

        The value of a header that is shorter than a word is hidden where the header is shown, and nowhere else: a
        report without any 1 in it would say nothing, and such a value guards nothing.
        """
        proxy = self.proxy
        hidden = [value for value in secret_values(self.headers, self.secret_headers) if len(value) >= SHORT]
        hidden += proxy.secrets if proxy else ()
        tokens = {self.token, self.second_token, *self.tokens} - {None, PLACEHOLDER}
        return dict.fromkeys(hidden, HIDDEN) | {str(token): MASK for token in tokens}
