"""`plan.json` as types: what `files/plan.json` of the schemas asks for, held to it by a test.

Times are seconds, rates a second, shares from 0 to 1; None where nothing was measured.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from sendpoll.load.measure.spending import SpentTold
from sendpoll.load.observe.observed import ObservedTold


class PlanTool(TypedDict):
    """What wrote the file."""

    name: Literal["sendpoll"]
    version: str


class PlanTarget(TypedDict):
    """Where the server was."""

    base_url: str


class PlanScenario(TypedDict):
    """What the users did."""

    name: str


class SettingsTold(TypedDict):
    """What the plan was told, and what it went by."""

    max_level: float
    budget_s: float
    precision: float
    headroom: float
    task_deadline_s: float
    generator_requests_per_second: float | None
    required: float | None
    arrivals: bool


class CapacityTold(TypedDict):
    """What is held. level: None where no crossing was seen; high: None where nothing bounds it from above."""

    level: float | None
    low: float
    high: float | None


class ObjectiveTold(CapacityTold):
    """Up to where one objective is kept."""

    objective: str
    share: float
    limit_s: float | None


class CliffTold(TypedDict):
    """Two neighbouring levels between which it falls off."""

    good: float
    bad: float
    share_good: float
    share_bad: float


class PlanTier(CapacityTold):
    """Up to where all objectives of a tier are kept."""

    tier: str
    binding: str | None
    cliff: CliffTold | None
    objectives: list[ObjectiveTold]


class Recommended(TypedDict):
    """The level to plan with."""

    level: float | None
    confirmed: bool


class RecoveryTold(TypedDict):
    """How the server came back from a failed step."""

    seconds: float | None
    recovered: bool


class QuantilesTold(TypedDict):
    """Two quantiles of a time."""

    p50: float | None
    p95: float | None


class StepObjective(TypedDict):
    """One objective in one step."""

    objective: str
    good: int
    samples: int
    share: float
    low: float
    high: float
    design_effect: float
    verdict: str


class LittleTold(TypedDict):
    """Little's law: what was held, and throughput times the time of a round."""

    expected: float
    found: float
    tolerance: float
    gap: float
    holds: bool


class StepTold(TypedDict):
    """A level that was held."""

    number: int
    purpose: str
    level: float
    verdict: str
    at_s: float
    seconds: float
    ended_s: float
    tasks: int
    unfinished: int
    refused: int
    throughput: float
    in_progress: float
    requests_per_second: float
    empty_share: float | None
    ttfe_s: QuantilesTold
    task_s: QuantilesTold
    objectives: list[StepObjective]
    little: LittleTold | None
    steady: bool
    recovery_s: float | None
    problems: list[str]


class ParameterTold(TypedDict):
    """A parameter of a model with its 95 % interval."""

    value: float
    low: float
    high: float


class ModelTold(TypedDict):
    """A model that was fitted; its curve is users, tasks a second, and the 95 % interval of the latter."""

    name: str
    formula: str
    parameters: dict[str, ParameterTold]
    aicc: float
    meaning: str
    curve: list[list[float]]


class LearntTold(TypedDict):
    """What a queueing model has learnt from every task: the likeliest discipline, and how sure that is."""

    sentence: str
    discipline: str
    slots: float | None
    full_speed: float | None
    contention: float
    coherency: float
    room: float | None
    weight: float
    service_s: float | None
    most_at_once: int
    tasks: int
    oddness: float
    thrown_out: str


class FleetTold(TypedDict):
    """How many replicas a load asks for; fewest and most by the interval, None where it is open."""

    load: int
    replicas: int
    with_spare: int
    fewest: int | None
    most: int | None


class SizingTold(TypedDict):
    """How many replicas loads ask for."""

    per_replica: float
    rows: list[FleetTold]
    assumptions: list[str]


class PollCostTold(TypedDict):
    """What polling so often costs."""

    interval_s: float
    level: float
    tasks: float
    polls_per_task: float
    empty_share: float | None
    requests_per_second: float
    attainment: float | None
    low: float | None
    high: float | None
    ttfe_p95_s: float | None
    task_p95_s: float | None
    capacity: float | None
    capacity_low: float | None
    capacity_high: float | None


class TimelineTold(TypedDict):
    """Columns over time, by when tasks were due."""

    t: list[float]
    level: list[float | None]
    tasks: list[float | None]
    ttfe_p95: list[float | None]
    task_p95: list[float | None]


class PlanGenerator(TypedDict):
    """How the generator fared, and why it cannot be trusted, if so."""

    problems: list[str]
    notes: NotRequired[list[str]]


class Plan(TypedDict):
    """The whole file."""

    kind: Literal["sendpoll plan"]
    schema_version: Literal[1]
    tool: PlanTool
    verdict: str
    exit_code: int
    end: str
    because: str
    sentence: str
    notes: list[str]
    started_at: str
    seconds: float
    quick: bool
    unit: str
    target: PlanTarget
    scenario: PlanScenario
    workload_digest: str
    seed: int
    environment: dict[str, Any]
    settings: SettingsTold
    answer: PlanTier
    recommended: Recommended
    non_monotonic: list[float] | None
    recovery: RecoveryTold
    tiers: list[PlanTier]
    steps: list[StepTold]
    models: list[ModelTold]
    decided_by: str
    learnt: LearntTold | None
    sizing: SizingTold | None
    polls: list[PollCostTold]
    violations: dict[str, int]
    timeline: TimelineTold
    spent: NotRequired[SpentTold]
    """Absent in files of versions that did not tell it."""
    observed: NotRequired[ObservedTold]
    """The server's own figures; absent where none were watched."""
    generator: PlanGenerator
