"""What a run of a client is told, and what it leaves behind, whatever kind of program it is."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

KEPT_BYTES = 1024 * 1024
"""Of each output, that much is kept and judged; who writes far more is stopped."""
FLOOD_BYTES = 16 * KEPT_BYTES


TELLS_OF_FAILURE = re.compile(
    r"fail|error|abort|broke|wrong|cancel|not complete|incomplete|unsuccess|失败|错误|✗|✘|❌", re.IGNORECASE
)
"""Words and signs that tell people of a failure; the status of a task that failed is one of them."""


class End(StrEnum):
    """How a run came to its end."""

    ITSELF = "it ended"
    QUIET = "it was stopped, since it had neither asked nor said anything for the patience of the run"
    ENDLESS = "it was stopped, since it asked on and on"
    FLOOD = "it was stopped, since it wrote more than anybody reads"
    LATE = "it was stopped, since the time of the run was up"


@dataclass(frozen=True, slots=True)
class Told:
    """What one run is told."""

    url: str
    token: str
    workspace: str
    message: str
    conversation: str | None
    """The one that it shall go on in; None where it shall open one."""


def variables(told: Told) -> Mapping[str, str]:
    """The environment that tells a program all this."""
    found = {f"SENDPOLL_{field.name.upper()}": getattr(told, field.name) for field in fields(told)}
    return MappingProxyType({name: value for name, value in found.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Job:
    """One run, and when it has to be stopped."""

    told: Told
    patience: float
    """Seconds without a request and without a word after which it is stopped."""
    endless: threading.Event
    """Set by whoever sees that it will not end."""
    last_request: Callable[[], float]
    """The moment of its last request, on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run left behind."""

    shown: str
    """What it showed its user: standard output, or the text of a page."""
    words: str
    """What it said beside: standard error, or what a console has."""
    exit_code: int | None
    """None where it was stopped, or where the program has none."""
    end: End
    seconds: float
    left: int = 0
    """Processes that were still there when it had ended."""

    @property
    def failed(self) -> bool:
        """Whether it ended by itself and told the shell that it failed."""
        return self.end is End.ITSELF and self.exit_code != 0


class Program(Protocol):
    """A client that can be run, several times at once."""

    @property
    def name(self) -> str:
        """As its author would write it."""

    @property
    def at_once(self) -> int:
        """How many runs may go on at the same time."""

    def run(self, job: Job) -> Ran:
        """Run it once, to its end or for as long as it may."""

    def close(self) -> None:
        """End every run that goes on, and what outlives a run."""


class ProgramError(Exception):
    """The program cannot be run at all; the message says why, and what to do."""


@dataclass(slots=True)
class Watch:
    """Decides when a run has to be stopped."""

    job: Job
    written: Callable[[], int]
    """Bytes that it has written so far."""
    over: threading.Event
    """Set when no run may go on."""
    started: float = field(default_factory=time.monotonic)
    _seen: int = 0
    _said: float = 0.0

    def verdict(self) -> End | None:
        """Why it has to be stopped now; None while it may go on."""
        now, written = time.monotonic(), self.written()
        if written != self._seen:
            self._seen, self._said = written, now
        if self.over.is_set():
            return End.LATE
        if written > FLOOD_BYTES:
            return End.FLOOD
        if self.job.endless.is_set():
            return End.ENDLESS
        if now - max(self.started, self._said, self.job.last_request()) > self.job.patience:
            return End.QUIET
        if now - self.started > 4 * self.job.patience + 30:
            return End.LATE
        return None
