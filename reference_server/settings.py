"""What a server is told before it starts, checked once and frozen."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

AGENTS = ("scripted", "echo", "openai")
SERVICE_TIMES = ("fixed", "exponential", "lognormal")

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
    openai_base_url: str = ""
    openai_model: str = ""
    openai_api_key: str = field(default="", repr=False)

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
        yield from self._choice_problems()

    def _choice_problems(self) -> Iterator[str]:
        if self.agent not in AGENTS:
            yield f"agent: {self.agent!r} is none of {', '.join(AGENTS)}"
        if self.service_time not in SERVICE_TIMES:
            yield f"service_time: {self.service_time!r} is none of {', '.join(SERVICE_TIMES)}"
        if self.agent == "openai" and not self.openai_base_url.startswith(("http://", "https://")):
            yield "openai_base_url: the agent openai needs the http or https URL of its endpoint"
        if self.agent == "openai" and not self.openai_model:
            yield "openai_model: the agent openai needs the name of a model"


def _is_origin(origin: str) -> bool:
    return origin in {"*", "null"} or bool(re.fullmatch(r"[a-z][a-z0-9+.-]*://[^/\s]+", origin))


def _is_token(token: str) -> bool:
    return bool(token) and all("!" <= character <= "~" for character in token)
