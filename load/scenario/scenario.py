"""A load scenario: what each user does, how many there are over time, and the objectives that the server must meet."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sendpoll.core.text.units import exact_seconds, parse_seconds
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.scenario.distribution import Distribution, Fixed, distribution_of
from sendpoll.load.scenario.scenario_json import OnOutage, OnRefusal, PacingKind, ScenarioJson
from sendpoll.load.scenario.shape import Shape, shape_of

FAILURE_STATUSES: Final = ("failed", "error", "cancelled", "canceled", "timeout")
"""Final statuses that mean failure where a scenario names none; the contract leaves their names open."""


_PLAIN: Final = (
    "name",
    "description",
    "pacing",
    "messages_per_conversation",
    "workspace",
    "on_refusal",
    "on_outage",
    "unique_prefix",
    "run_mode",
    "max_iterations",
)
_TIMES: Final = ("poll_interval", "task_deadline", "start_spread")
_SHARES: Final = ("reread_share", "second_reader_share", "follow_up_share")
_ONE_SECOND: Final = Fixed(1.0)


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
    on_outage: OnOutage = "fail"
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
        with _at("slos: "):
            ServiceLevel.parse(self.slos)

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

    def as_json(self) -> ScenarioJson:
        """The whole scenario as a file would write it, defaults included."""
        described = self.workload() | {"name": self.name, "description": self.description, "slos": list(self.slos)}
        return cast(ScenarioJson, {key: value for key, value in described.items() if value is not None})

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
            **({} if self.on_outage == "fail" else {"on_outage": self.on_outage}),
        }

    @property
    def digest(self) -> str:
        """Names the workload: two runs may be compared where it is the same."""
        canonical = json.dumps(self.workload(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"

    @classmethod
    def from_json(cls, described: ScenarioJson) -> Scenario:
        """Read what a scenario file describes; it must satisfy the schema. Raises ScenarioError."""
        given: Mapping[str, Any] = described
        told: dict[str, Any] = {key: given[key] for key in (*_PLAIN, *_SHARES) if key in given}
        told |= {f"{key}_s": parse_seconds(given[key]) for key in _TIMES if key in given}
        told |= {key: tuple(given[key]) for key in ("slos", "failure_statuses") if key in given}
        if "think_time" in described:
            with _at("think_time: "):
                told["think_time"] = distribution_of(described["think_time"])
        if "abandon" in described:
            with _at("abandon/after: "):
                after = distribution_of(described["abandon"]["after"])
            told["abandon"] = Abandon(float(described["abandon"]["share"]), after)
        with _at("shape/"):
            shape = shape_of(described["shape"])
        messages = tuple(Message(item["text"], float(item.get("weight", 1))) for item in described["messages"])
        return cls(messages=messages, shape=shape, **told)


@contextlib.contextmanager
def _at(place: str) -> Iterator[None]:
    """Whatever makes no sense in there, told with its place."""
    try:
        yield
    except ValueError as error:
        raise ScenarioError(f"{place}{error}") from None


@functools.lru_cache(maxsize=16)
def _cumulative(messages: tuple[Message, ...]) -> tuple[list[str], list[float]]:
    weights = itertools.accumulate(message.weight for message in messages)
    return [message.text for message in messages], list(weights)
