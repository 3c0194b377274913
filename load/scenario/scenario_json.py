"""Scenario files as types: what `files/scenario.json` of the schemas asks for, held to it by a test.

Times are texts with their unit, such as `500ms`. `ScenarioChanges` is what options put in a file's place.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

PacingKind = Literal["loop", "grid"]
OnRefusal = Literal["fail", "wait"]
OnOutage = Literal["fail", "wait"]
ShapeKind = Literal["steady", "ramp", "step", "spike", "soak", "arrivals"]


class MessageJson(TypedDict):
    """A message, and how often it is sent."""

    text: str
    weight: NotRequired[float]


class FixedJson(TypedDict):
    """Always the same time."""

    kind: Literal["fixed"]
    time: str


class ExponentialJson(TypedDict):
    """Exponential times."""

    kind: Literal["exponential"]
    mean: str


class UniformJson(TypedDict):
    """Any time between two."""

    kind: Literal["uniform"]
    min: str
    max: str


class LogNormalJson(TypedDict):
    """Times whose logarithm is normal."""

    kind: Literal["lognormal"]
    median: str
    sigma: float


DistributionJson = FixedJson | ExponentialJson | UniformJson | LogNormalJson


class AbandonJson(TypedDict):
    """Who leaves, and when."""

    share: float
    after: DistributionJson


class SteadyJson(TypedDict):
    """The same number of users all the time."""

    kind: Literal["steady"]
    users: int
    duration: str


class ArrivalsJson(TypedDict):
    """Messages at random times."""

    kind: Literal["arrivals"]
    users: int
    duration: str
    rate: float


# Written as calls, since `from` and `for` are words of the language.
RampJson = TypedDict(
    "RampJson",
    {"kind": Literal["ramp", "soak"], "users": int, "duration": str, "ramp": str, "from": NotRequired[int]},
)
StepJson = TypedDict(
    "StepJson",
    {"kind": Literal["step"], "users": int, "duration": str, "step": int, "every": str, "from": NotRequired[int]},
)
SpikeJson = TypedDict(
    "SpikeJson",
    {"kind": Literal["spike"], "users": int, "duration": str, "at": str, "for": str, "from": NotRequired[int]},
)
ShapeJson = SteadyJson | RampJson | StepJson | SpikeJson | ArrivalsJson


class ScenarioJson(TypedDict):
    """The whole file."""

    name: str
    description: NotRequired[str]
    messages: list[MessageJson]
    think_time: NotRequired[DistributionJson]
    poll_interval: NotRequired[str]
    pacing: NotRequired[PacingKind]
    messages_per_conversation: NotRequired[int]
    task_deadline: NotRequired[str]
    start_spread: NotRequired[str]
    reread_share: NotRequired[float]
    second_reader_share: NotRequired[float]
    follow_up_share: NotRequired[float]
    abandon: NotRequired[AbandonJson]
    workspace: NotRequired[str]
    on_refusal: NotRequired[OnRefusal]
    on_outage: NotRequired[OnOutage]
    unique_prefix: NotRequired[bool]
    run_mode: NotRequired[str]
    max_iterations: NotRequired[int]
    failure_statuses: NotRequired[list[str]]
    shape: ShapeJson
    slos: NotRequired[list[str]]


class ScenarioChanges(TypedDict, total=False):
    """Values in place of a file's; those of `shape` are any of its keys, and change these alone."""

    think_time: DistributionJson
    poll_interval: str
    pacing: str
    on_refusal: str
    on_outage: str
    shape: dict[str, Any]
    slos: list[str]
