"""What a server is told before it starts, checked once and frozen."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

AGENTS = ("scripted", "echo", "openai")
SERVICE_TIMES = ("fixed", "exponential", "lognormal")
SCOPES = ("conversation", "workspace", "token")
WHEN_BUSY = ("refuse", "queue")
LEAST_KEPT_SECONDS = 10.0
"""How long every event is kept whatever is set: twenty polls at the pace of the published clients."""

DEFAULT_PORT = 8091
MEMORY = ":memory:"


class SettingsError(ValueError):
    """A setting cannot be served; the message names it and says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a server needs. Raises SettingsError for a value that it cannot serve."""

    tokens: tuple[str, ...] = field(repr=False)
    """The bearer tokens that are known; each owns what is made with it."""
    database: str = MEMORY
    """The path of the SQLite file, or `:memory:` for a server that forgets."""
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    """0 picks a free port, which is then announced."""
    cors_origins: tuple[str, ...] = ("*",)
    slots: int = 16
    """How many tasks run at once; the others wait, `running` and without events."""
    agent: str = "scripted"
    chunks: int = 20
    """How many text chunks a scripted answer has, or more if the message needs more."""
    chunk_interval: float = 0.05
    """Seconds. A scripted task takes chunks x chunk_interval, however long its message is."""
    service_time: str = "fixed"
    """How a scripted task's duration is distributed around that mean."""
    seed: int = 0
    """Of the random service times."""
    one_task_per: str | None = None
    """Of what only one task runs at a time: a conversation, a workspace or a token. None: of a conversation, whose
    further messages wait."""
    when_busy: str | None = None
    """What becomes of a further message of that: `refuse`, with 409, or `queue`. None: the first."""
    requests_per_second: float | None = None
    """How many calls of the API are taken of each token, and of all without one, in bursts of up to a second's; more
    get 429. None: any number."""
    keep_events: int | None = None
    """How many of a task's newest events are kept. None: all."""
    keep_seconds: float | None = None
    """How long an event is kept. None: for ever.

    Whatever these two say, an event is kept for 10 s, so no client loses one that polls as the published ones do. A
    poll from before what is kept gets what is kept, and `first_offset`, which says where that begins.
    """
    openai_base_url: str = ""
    openai_model: str = ""
    openai_api_key: str = field(default="", repr=False)
    openai_timeout: float = 600.0
    """Seconds that one answer of the endpoint may take in all."""

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise SettingsError(problem)

    def _problems(self) -> Iterator[str]:
        if not self.tokens:
            yield "tokens: at least one is needed"
        if any(not _is_token(token) for token in self.tokens):
            yield "tokens: a token is one or more visible ASCII characters without spaces"
        if not 0 <= self.port <= 65535:
            yield f"port: {self.port} is not between 0 and 65535"
        if not self.database:
            yield "database: the name is empty; give a file or :memory:"
        if self.slots < 1:
            yield f"slots: {self.slots} is less than 1"
        if self.chunks < 1:
            yield f"chunks: {self.chunks} is less than 1"
        if not (math.isfinite(self.chunk_interval) and self.chunk_interval >= 0):
            yield f"chunk_interval: {self.chunk_interval} is not a number of seconds from 0"
        if any(not _is_origin(origin) for origin in self.cors_origins):
            yield "cors_origins: an origin is * or scheme and host, and perhaps a port, such as http://localhost:3000"
        yield from self._limit_problems()
        yield from self._choice_problems()

    def _limit_problems(self) -> Iterator[str]:
        if self.when_busy and not self.one_task_per:
            yield "when_busy: it is for a server that runs one task per conversation, workspace or token; say of which"
        if self.requests_per_second is not None and not 0 < self.requests_per_second < math.inf:
            yield f"requests_per_second: {self.requests_per_second} is not a number above 0"
        if self.keep_events is not None and self.keep_events < 1:
            yield f"keep_events: {self.keep_events} is less than 1"
        if self.keep_events is not None and self.keep_seconds is not None:
            yield "keep_events: not together with keep_seconds; give one of the two"
        if self.keep_seconds is not None and not LEAST_KEPT_SECONDS <= self.keep_seconds < math.inf:
            yield f"keep_seconds: {self.keep_seconds:g} s is less than the {LEAST_KEPT_SECONDS:g} s that clients need"

    def _choice_problems(self) -> Iterator[str]:
        if self.agent not in AGENTS:
            yield f"agent: {self.agent!r} is none of {', '.join(AGENTS)}"
        if self.service_time not in SERVICE_TIMES:
            yield f"service_time: {self.service_time!r} is none of {', '.join(SERVICE_TIMES)}"
        if self.one_task_per not in (None, *SCOPES):
            yield f"one_task_per: {self.one_task_per!r} is none of {', '.join(SCOPES)}"
        if self.when_busy not in (None, *WHEN_BUSY):
            yield f"when_busy: {self.when_busy!r} is none of {', '.join(WHEN_BUSY)}"
        if self.agent == "openai" and not _is_http_url(self.openai_base_url):
            yield "openai_base_url: the agent openai needs the http or https URL of its endpoint"
        if self.agent == "openai" and not self.openai_model:
            yield "openai_model: the agent openai needs the name of a model"
        if self.openai_api_key and not _is_token(self.openai_api_key):
            yield "openai_api_key: a key is visible ASCII characters without spaces or line ends"
        if not 0 < self.openai_timeout < math.inf:
            yield f"openai_timeout: {self.openai_timeout} is not a number of seconds above 0"


def _is_origin(origin: str) -> bool:
    return origin in {"*", "null"} or bool(re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin))


def _is_http_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and text.isprintable()
    except ValueError:
        return False


def _is_token(token: str) -> bool:
    return bool(token) and all("!" <= character <= "~" for character in token)
