"""What kind of server a target is: how many tasks it runs at once, how long they take, how fast it may be asked.

None of it is a fault. `check` learns it and keeps to it, `load` and `plan` read the same, and a target file may declare
it under `traits:`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Scope(StrEnum):
    """Of what a limit of tasks holds, the narrowest first."""

    CONVERSATION = "conversation"
    WORKSPACE = "workspace"
    TOKEN = "token"  # noqa: S105 - a scope, no secret
    ALL = "all"


class Beyond(StrEnum):
    """What becomes of a task beyond the limit."""

    QUEUED = "queued"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TaskLimit:
    """So many tasks at once; the next one waits or is refused."""

    scope: Scope
    most: int
    beyond: Beyond
    status: int | None = None
    """With which it is refused."""

    def sentence(self) -> str:
        """The limit in words."""
        number = "one task" if self.most == 1 else f"{self.most} tasks"
        of = "in all" if self.scope is Scope.ALL else f"per {self.scope}"
        beyond = f"refused with {self.status}" if self.status else str(self.beyond)
        return f"{number} at a time {of}, more are {beyond}"


@dataclass(frozen=True, slots=True)
class TaskTime:
    """How long a task takes, in seconds, counted from when it was seen to begin."""

    first_event: float
    between_events: float
    """The longest pause."""
    end: float


@dataclass(frozen=True, slots=True)
class RequestPace:
    """How fast a server may be asked."""

    per_second: float
    """To which the suite keeps."""
    status: int | None = None
    """With which faster requests are refused."""
    retry_after: str = ""
    """`seconds`, `date` or nothing: in which form it tells when to come again."""


@dataclass(frozen=True, slots=True)
class Offsets:
    """What `next_offset` is."""

    unit: str
    """`events`, or `opaque` where it counts something else."""
    base: int
    """Where a log begins."""
    retention: float | None = None
    """Seconds after its end for which a task was still there, where one was seen to be gone."""


@dataclass(frozen=True, slots=True)
class Traits:
    """All that is known of a target's kind; what is not known is None or empty."""

    limits: tuple[TaskLimit, ...] = ()
    at_once: int = 0
    """The most tasks that were seen to run at the same time, or are declared to."""
    task_time: TaskTime | None = None
    pace: RequestPace | None = None
    makes_conversations: bool | None = None
    """Whether a message without conversation_id makes one; None where that was not tried."""
    offsets: Offsets | None = None
    statuses: tuple[str, ...] = ()
    """The final ones."""
    evidence: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Name of a trait to what showed it."""

    def limit(self, scope: Scope) -> TaskLimit | None:
        """The limit of a scope, if there is one."""
        return next((limit for limit in self.limits if limit.scope is scope), None)

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Each trait that is known: its name in a target file, and in words."""
        for limit in self.limits:
            yield f"tasks_at_once.{limit.scope}", limit.sentence()
        if self.at_once > 1:
            yield "at_once", f"{self.at_once} tasks were seen to run at the same time"
        if self.task_time is not None:
            yield "task_seconds", _of_time(self.task_time)
        if self.pace is not None:
            yield "requests_per_second", _of_pace(self.pace)
        if self.makes_conversations is not None:
            does = "is made where it is left out" if self.makes_conversations else "is asked for"
            yield "conversation_id", f"conversation_id {does}"
        if self.offsets is not None:
            yield "offsets", _of_offsets(self.offsets)
        if self.statuses:
            yield "statuses", f"tasks end as {', '.join(self.statuses)}"


def _of_time(time: TaskTime) -> str:
    first, between = f"{time.first_event:.2g} s to the first event", f"up to {time.between_events:.2g} s between two"
    return f"a task takes about {seconds_in_words(time.end)}: {first}, {between}"


def _of_pace(pace: RequestPace) -> str:
    forms = {"seconds": ", with Retry-After in seconds", "date": ", with Retry-After as a date"}
    refused = f"; faster ones are answered {pace.status}{forms.get(pace.retry_after, '')}" if pace.status else ""
    return f"kept to {pace.per_second:.2g} requests a second{refused}"


def _of_offsets(offsets: Offsets) -> str:
    unit = "offsets count events" if offsets.unit == "events" else "offsets are opaque"
    kept = "" if offsets.retention is None else f"; a task was gone {offsets.retention:.0f} s after its end"
    return f"{unit}, from {offsets.base}{kept}"


def seconds_in_words(seconds: float) -> str:
    """A time as a reader would say it: 0.6 s, 45 s, 6 minutes."""
    if seconds < 10:
        return f"{seconds:.2g} s"
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} minutes"


def declared_traits(described: Mapping[str, Any]) -> Traits:
    """The traits that a target file declares under `traits`; it has been held against its schema."""
    beyond = Beyond(described.get("beyond", Beyond.REFUSED))
    scopes = described.get("tasks_at_once", {})
    limits = tuple(TaskLimit(scope, scopes[scope], beyond) for scope in Scope if scope in scopes)
    seconds, rate = described.get("task_seconds"), described.get("requests_per_second")
    made = described.get("conversation_id")
    return Traits(
        limits=limits,
        at_once=scopes.get(Scope.ALL, 0),
        task_time=None if seconds is None else TaskTime(seconds, seconds, seconds),
        pace=None if rate is None else RequestPace(rate),
        makes_conversations=None if made is None else made == "optional",
        evidence={"": "declared in the target file"},
    )
