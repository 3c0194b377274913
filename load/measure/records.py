"""What one task came to, what was found wrong with it, and the ledger in which every task ends up exactly once.

Plain data that the users write and everything else reads: metrics, gates, the planner and the reports. It crosses from
workers to the master, so each kind has a compact message form of what msgpack carries.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, Final

from sendpoll.schemas.catalogue import Level, load_catalogue

MESSAGE_ERROR_CHARACTERS: Final = 120
MESSAGE_VIOLATIONS: Final = 4
MESSAGE_SENTENCE_CHARACTERS: Final = 160
"""A record may break in many ways at once; the master needs to know which, and the evidence tells the rest."""


class Outcome(IntEnum):
    """How a task ended, as its user saw it."""

    FINISHED = 0
    """A final status was reached, and it is none that says failure."""
    FAILED = 1
    """The send or a poll was refused or broke, or the final status says failure."""
    TIMED_OUT = 2
    """Still running at the task deadline."""
    ABANDONED = 3
    """The user stopped polling before the end: left, as the scenario told it to, or was stopped with the run."""
    DROPPED = 4
    """An open arrival that no user was free to send; it never started."""
    REFUSED = 5
    """The server said that it takes no more now: too many requests, another task that runs, an overload."""


class Standing(IntEnum):
    """The column of the ledger that a task is booked in."""

    GOOD = 0
    SLOW = 1
    FAILED = 2
    TIMED_OUT = 3
    ABANDONED = 4
    DROPPED = 5
    REFUSED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    """One task from its intended start to its end. Times are seconds, `..._at` since the start of the run.

    Durations count from `scheduled_at`, the intended start, except `submit_s`, which counts from the send.
    """

    step: int = 0
    """The cohort that the task was started in: a step of the planner; 0 where there is none."""
    user: int
    scheduled_at: float
    sent_at: float
    ended_at: float
    """When its user was done with it, however it ended."""
    submit_s: float | None = None
    """From sending the message until its `task_id` was there; None if it never came."""
    ttfe_s: float | None = None
    """Time to first event, upper bound: the reception of the first poll that returned events."""
    ttfe_lower_s: float | None = None
    """Its lower bound: the send of the last empty poll before; of the message where no poll was empty."""
    stall_s: float | None = None
    """The longest time between two event-bearing polls in a row, reception to reception; 0 with one such poll, None
    with none."""
    polls: int = 0
    empty_polls: int = 0
    """Polls that said `running` and returned no event."""
    events: int = 0
    bytes: int = 0
    """Body bytes of all its polls, as they came over the wire."""
    status: str = ""
    """The last status seen; empty if no poll was answered."""
    outcome: Outcome
    leaver: bool = False
    """Whether its user was to leave before the end. Drawn before the send, so that leaving is no judgement: such a
    task is load, booked in the ledger, and no sample of a gate."""
    follow_up: bool = False
    """Whether it was sent while another message of its conversation ran, as its user was to, or was refused for that.
    Its times are the other's too: it is load, booked in the ledger, and no sample of a gate."""
    refusals: int = 0
    """Calls that the server refused for the moment, those that were made again later among them."""
    refused_with: int = 0
    """The HTTP status of the last of them."""
    violations: tuple[tuple[str, str], ...] = ()
    """Pairs of the requirement and the sentence that says how it was broken."""
    error: str = ""
    """Why it failed, in a sentence without secrets."""

    @property
    def is_sample(self) -> bool:
        """Whether its times are those of a user who sends one message and waits for the answer."""
        return not (self.leaver or self.follow_up)

    @property
    def elapsed_s(self) -> float:
        """From the intended start until its user was done with it."""
        return self.ended_at - self.scheduled_at

    @property
    def task_s(self) -> float | None:
        """From the intended start to the poll that brought the final status; None for a task that did not finish."""
        return self.elapsed_s if self.outcome is Outcome.FINISHED else None

    def to_message(self) -> list[Any]:
        """Under 200 bytes as msgpack, unless it failed: what msgpack carries, times as whole microseconds."""
        return [
            self.step,
            self.user,
            _micros(self.scheduled_at),
            *(_micros_after(self.scheduled_at, at) for at in (self.sent_at, self.ended_at)),
            *(_maybe_micros(value) for value in (self.submit_s, self.ttfe_s, self.ttfe_lower_s, self.stall_s)),
            self.polls,
            self.empty_polls,
            self.events,
            self.bytes,
            self.status[:MESSAGE_ERROR_CHARACTERS],
            int(self.outcome),
            self.leaver,
            self.follow_up,
            self.refusals,
            self.refused_with,
            [
                [requirement, sentence[:MESSAGE_SENTENCE_CHARACTERS]]
                for requirement, sentence in self.violations[:MESSAGE_VIOLATIONS]
            ],
            self.error[:MESSAGE_ERROR_CHARACTERS],
        ]

    @classmethod
    def from_message(cls, message: Sequence[Any]) -> TaskRecord:
        """The record that `to_message` was made from, to the microsecond, long texts cut."""
        (step, user, scheduled, sent, ended, *durations) = message[:9]
        polls, empty, events, size, status, outcome, leaver, follow_up, *refused, violations, error = message[9:]
        submit, ttfe, lower, stall = (None if value is None else value / 1e6 for value in durations)
        return cls(
            step=step,
            user=user,
            scheduled_at=scheduled / 1e6,
            sent_at=(scheduled + sent) / 1e6,
            ended_at=(scheduled + ended) / 1e6,
            submit_s=submit,
            ttfe_s=ttfe,
            ttfe_lower_s=lower,
            stall_s=stall,
            polls=polls,
            empty_polls=empty,
            events=events,
            bytes=size,
            status=status,
            outcome=Outcome(outcome),
            leaver=leaver,
            follow_up=follow_up,
            refusals=refused[0],
            refused_with=refused[1],
            violations=tuple((requirement, sentence) for requirement, sentence in violations),
            error=error,
        )

    def as_json(self) -> dict[str, Any]:
        """One line of the per-task log."""
        return {
            "step": self.step,
            "user": self.user,
            "scheduled_at": round(self.scheduled_at, 6),
            "sent_at": round(self.sent_at, 6),
            "ended_at": round(self.ended_at, 6),
            "submit_s": self.submit_s,
            "ttfe_s": self.ttfe_s,
            "ttfe_lower_s": self.ttfe_lower_s,
            "stall_s": self.stall_s,
            "task_s": self.task_s,
            "polls": self.polls,
            "empty_polls": self.empty_polls,
            "events": self.events,
            "bytes": self.bytes,
            "status": self.status,
            "outcome": self.outcome.name.lower(),
            "leaver": self.leaver,
            "follow_up": self.follow_up,
            "refusals": self.refusals,
            "refused_with": self.refused_with,
            "violations": [
                {"requirement": requirement, "sentence": sentence} for requirement, sentence in self.violations
            ],
            "error": self.error,
        }


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, trimmed, as the evidence of a violation. Times are seconds since the run's start."""

    request: str
    """Method and target, such as `GET /api/v1/tasks/t1?from=3`."""
    sent_at: float
    received_at: float
    status: int
    """The HTTP status; 0 where no answer came."""
    body: str
    """The body as text, cut where it is long."""


@functools.cache
def _shoulds() -> frozenset[str]:
    return frozenset(row.id for row in load_catalogue().rows if row.level is Level.SHOULD)


@dataclass(frozen=True, slots=True)
class ViolationRecord:
    """A broken requirement with the exchanges that prove it."""

    requirement: str
    sentence: str
    at: float
    """Seconds since the start of the run."""
    user: int
    exchanges: tuple[Exchange, ...] = ()

    @property
    def is_must(self) -> bool:
        """Whether a published client breaks by it; what a server merely should do fails no task and no run."""
        return self.requirement not in _shoulds()

    def to_message(self) -> list[Any]:
        """What msgpack carries."""
        exchanges = [
            [exchange.request, exchange.sent_at, exchange.received_at, exchange.status, exchange.body]
            for exchange in self.exchanges
        ]
        return [self.requirement, self.sentence, self.at, self.user, exchanges]

    @classmethod
    def from_message(cls, message: Sequence[Any]) -> ViolationRecord:
        """The violation that `to_message` was made from."""
        requirement, sentence, at, user, exchanges = message
        return cls(requirement, sentence, at, user, tuple(Exchange(*exchange) for exchange in exchanges))


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where every task of a run ended up. `started` is counted at the start of each, the rest at the end of each."""

    started: int = 0
    good: int = 0
    slow: int = 0
    failed: int = 0
    refused: int = 0
    timed_out: int = 0
    abandoned: int = 0
    dropped: int = 0
    """Open arrivals that never started; they stand beside `started`, not in it."""

    @property
    def ended(self) -> int:
        """Tasks that started and were booked."""
        return self.good + self.slow + self.failed + self.refused + self.timed_out + self.abandoned

    @property
    def balances(self) -> bool:
        """Whether every task that started was booked once: none lost on the way, none counted twice."""
        return self.started == self.ended

    @property
    def offered(self) -> int:
        """Tasks that should have been served: started, and those dropped before."""
        return self.started + self.dropped

    def __add__(self, other: Ledger) -> Ledger:
        """The ledger of two generators, or of two spans of time."""
        return Ledger(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @classmethod
    def booked(cls, started: int, standings: Mapping[Standing, int]) -> Ledger:
        """A ledger from the count of starts and of each standing."""
        return cls(started, **{standing.name.lower(): standings.get(standing, 0) for standing in Standing})

    def as_json(self) -> dict[str, Any]:
        """The ledger as reports write it."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {"balances": self.balances}


def _micros(seconds: float) -> int:
    return round(seconds * 1e6)


def _micros_after(start: float, at: float) -> int:
    return _micros(at) - _micros(start)


def _maybe_micros(seconds: float | None) -> int | None:
    return None if seconds is None else _micros(seconds)
