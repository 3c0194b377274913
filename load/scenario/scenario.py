"""A load scenario: what each user does, how many there are over time, and the objectives that the server must meet."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sendpoll.core.text.units import exact_seconds, parse_seconds
from sendpoll.load.measure.slo import ServiceLevel, SloError
from sendpoll.load.scenario.distribution import Distribution

PacingKind = Literal["loop", "grid"]
OnRefusal = Literal["fail", "wait"]
ShapeKind = Literal["steady", "ramp", "step", "spike", "soak", "arrivals"]

FAILURE_STATUSES: Final = ("failed", "error", "cancelled", "canceled", "timeout")
"""Final statuses that mean failure where a scenario names none; the contract leaves their names open."""


_PLAIN: Final = (
    "name",
    "description",
    "pacing",
    "messages_per_conversation",
    "workspace",
    "on_refusal",
    "unique_prefix",
    "run_mode",
    "max_iterations",
)
_SHARES: Final = ("reread_share", "second_reader_share", "follow_up_share")
_ONE_SECOND: Final = Distribution("fixed", 1.0)


class ScenarioError(ValueError):
    """A scenario that makes no sense; the message names the place and the mend."""


@dataclass(frozen=True, slots=True)
class Message:
    """A text that users send, `weight` times as often as one of weight 1."""

    text: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Abandon:
    """The share of tasks whose user leaves, and how long after the send."""

    share: float
    after: Distribution


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How much load there is over time. Numbers that a kind does not use are 0; times are seconds."""

    kind: ShapeKind
    users: int
    """The most users; of arrivals, the pool that takes them."""
    duration_s: float
    from_users: int = 1
    """ramp, soak, step: users at the start. spike: users before and after it."""
    ramp_s: float = 0.0
    step_users: int = 0
    every_s: float = 0.0
    at_s: float = 0.0
    for_s: float = 0.0
    rate: float = 0.0
    """Arrivals a second."""

    def __post_init__(self) -> None:
        if self.duration_s <= 0:
            raise ScenarioError("shape/duration: must be longer than 0 s")
        if self.from_users > self.users:
            raise ScenarioError(f"shape/from: {self.from_users} users are more than shape/users, {self.users}")
        needed = {"ramp": self.ramp_s, "spike": self.at_s + self.for_s, "every": self.every_s * (self._steps - 1)}
        for key, seconds in needed.items():
            if seconds > self.duration_s:
                raise ScenarioError(
                    f"shape/{key}: takes until {exact_seconds(seconds)}, but shape/duration is "
                    f"{exact_seconds(self.duration_s)}; shorten the one or lengthen the other"
                )

    @property
    def _steps(self) -> int:
        return 1 if not self.step_users else 1 - (self.from_users - self.users) // self.step_users

    def as_json(self) -> dict[str, Any]:
        """As a scenario file writes it: the keys of its kind."""
        said: dict[str, Any] = {"kind": self.kind, "users": self.users, "duration": exact_seconds(self.duration_s)}
        if self.kind in {"ramp", "soak"}:
            return said | {"from": self.from_users, "ramp": exact_seconds(self.ramp_s)}
        if self.kind == "step":
            return said | {"from": self.from_users, "step": self.step_users, "every": exact_seconds(self.every_s)}
        if self.kind == "spike":
            return said | {"from": self.from_users, "at": exact_seconds(self.at_s), "for": exact_seconds(self.for_s)}
        return said | {"rate": self.rate} if self.kind == "arrivals" else said

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Shape:
        """Read what a scenario file describes; it must satisfy the schema. Raises ScenarioError."""
        times = {
            f"{key}_s": parse_seconds(described[key]) for key in ("ramp", "every", "at", "for") if key in described
        }
        return cls(
            kind=described["kind"],
            users=described["users"],
            duration_s=parse_seconds(described["duration"]),
            from_users=described.get("from", 1),
            step_users=described.get("step", 0),
            rate=float(described.get("rate", 0)),
            **times,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Everything about a workload but the server. Times are seconds."""

    name: str
    description: str = ""
    messages: tuple[Message, ...]
    think_time: Distribution = _ONE_SECOND
    """From the end of a task to the next message of the same user."""
    poll_interval_s: float = 0.5
    pacing: PacingKind = "loop"
    """loop: a poll leaves one interval after the last answer. grid: polls leave at fixed times, one interval apart."""
    messages_per_conversation: int = 1
    task_deadline_s: float = 120.0
    start_spread_s: float = 5.0
    """The first messages of users that come together are spread evenly at random over so long."""
    reread_share: float = 0.0
    """The share of finished tasks that are read once more from offset 0: the same events must come."""
    second_reader_share: float = 0.0
    """The share of tasks that a second device polls from the beginning, beside the first."""
    follow_up_share: float = 0.0
    """The share of messages behind which the user sends the next one at once, while they run; with open arrivals, whose
    rate is given, nobody does."""
    abandon: Abandon | None = None
    workspace: str = "user"
    """user: each user has one of its own. run: all of a run share one. Else its name, unless the target names one."""
    on_refusal: OnRefusal = "fail"
    """fail: a user that is refused for the moment gives up, as the published clients do. wait: it comes again when the
    server asked it to."""
    unique_prefix: bool = True
    """Whether each message begins with its mark, too: a server that remembers prompts cannot answer from memory."""
    run_mode: str | None = None
    max_iterations: int | None = None
    failure_statuses: tuple[str, ...] = FAILURE_STATUSES
    shape: Shape
    slos: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.poll_interval_s <= 0 or self.task_deadline_s <= 0:
            raise ScenarioError("poll_interval and task_deadline: must be longer than 0 s")
        for key, waited in (("think_time", self.think_time), ("abandon/after", self.abandon and self.abandon.after)):
            if waited and waited.kind == "uniform" and waited.first > waited.second:
                raise ScenarioError(f"{key}: min is greater than max; exchange them")
        try:
            ServiceLevel.parse(self.slos)
        except SloError as error:
            raise ScenarioError(f"slos: {error}") from None

    @property
    def service_level(self) -> ServiceLevel:
        """The objectives, read."""
        return ServiceLevel.parse(self.slos)

    def draw_message(self, random_source: random.Random) -> str:
        """A text, as often as its weight says."""
        texts, cumulative = _cumulative(self.messages)
        return random_source.choices(texts, cum_weights=cumulative)[0]

    def is_failure(self, status: str) -> bool:
        """Whether a final status means that the task failed."""
        return status in self.failure_statuses

    def as_json(self) -> dict[str, Any]:
        """The whole scenario as a file would write it, defaults included."""
        described = self.workload() | {"name": self.name, "description": self.description, "slos": list(self.slos)}
        return {key: value for key, value in described.items() if value is not None}

    def workload(self) -> dict[str, Any]:
        """What decides how much work the server gets and how it is measured: not the name, not the objectives."""
        abandon = self.abandon and {"share": self.abandon.share, "after": self.abandon.after.as_json()}
        return {
            "messages": [{"text": message.text, "weight": message.weight} for message in self.messages],
            "think_time": self.think_time.as_json(),
            "poll_interval": exact_seconds(self.poll_interval_s),
            "pacing": self.pacing,
            "messages_per_conversation": self.messages_per_conversation,
            "task_deadline": exact_seconds(self.task_deadline_s),
            "start_spread": exact_seconds(self.start_spread_s),
            "reread_share": self.reread_share,
            "second_reader_share": self.second_reader_share,
            "follow_up_share": self.follow_up_share,
            "abandon": abandon,
            "workspace": self.workspace,
            "on_refusal": self.on_refusal,
            "unique_prefix": self.unique_prefix,
            "run_mode": self.run_mode,
            "max_iterations": self.max_iterations,
            "failure_statuses": list(self.failure_statuses),
            "shape": self.shape.as_json(),
        }

    @property
    def digest(self) -> str:
        """Names the workload: two runs may be compared where it is the same."""
        canonical = json.dumps(self.workload(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"

    @classmethod
    def from_json(cls, described: Mapping[str, Any]) -> Scenario:
        """Read what a scenario file describes; it must satisfy the schema. Raises ScenarioError."""
        told: dict[str, Any] = {key: described[key] for key in (*_PLAIN, *_SHARES) if key in described}
        for key in ("poll_interval", "task_deadline", "start_spread"):
            if key in described:
                told[f"{key}_s"] = parse_seconds(described[key])
        for key in ("slos", "failure_statuses"):
            if key in described:
                told[key] = tuple(described[key])
        if "think_time" in described:
            told["think_time"] = Distribution.from_json(described["think_time"])
        if "abandon" in described:
            abandon = described["abandon"]
            told["abandon"] = Abandon(float(abandon["share"]), Distribution.from_json(abandon["after"]))
        messages = tuple(Message(item["text"], float(item.get("weight", 1))) for item in described["messages"])
        return cls(messages=messages, shape=Shape.from_json(described["shape"]), **told)


@functools.lru_cache(maxsize=16)
def _cumulative(messages: tuple[Message, ...]) -> tuple[list[str], list[float]]:
    weights = itertools.accumulate(message.weight for message in messages)
    return [message.text for message in messages], list(weights)
