"""`result.json` as types: what `files/load-result.json` of the schemas asks for, held to it by a test.

Times are seconds, rates a second, shares from 0 to 1; None where nothing was measured.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from sendpoll.core.network_cost import NetworkJson
from sendpoll.load.measure.restart_tally import RestartTold
from sendpoll.load.measure.spending import SpentTold
from sendpoll.load.observe.observed import ObservedTold
from sendpoll.load.scenario.scenario_json import ScenarioJson


class ToolTold(TypedDict):
    """What wrote the file."""

    name: Literal["sendpoll"]
    version: str


class TargetTold(TypedDict):
    """Where the server was; names of extra headers, never their values."""

    base_url: str
    verify_tls: bool
    headers: list[str]
    workspace: str | None
    connections: NotRequired[dict[str, int]]
    """Of a load run: how many were made to each address of the server's name, or of its proxy's."""


class EnvironmentTold(TypedDict):
    """Where the load came from."""

    python: str
    platform: str
    cpus: int | None
    workers: int
    packages: dict[str, str]


class LedgerTold(TypedDict):
    """How the tasks ended; those that started are the sum of all but those that were dropped."""

    started: int
    good: int
    slow: int
    failed: int
    refused: int
    timed_out: int
    abandoned: int
    dropped: int
    balances: bool


class SlopeTold(TypedDict):
    """A drift as shares an hour, with its 99 % interval."""

    per_hour: float
    low: float
    high: float


class GateTold(TypedDict):
    """An objective, and what it came to."""

    objective: str
    metric: str
    tier: str
    verdict: str
    good: int
    samples: int
    effective_samples: float
    needed_share: float
    share: float | None
    low: float
    high: float
    sentence: str
    slope: NotRequired[SlopeTold]
    """Of an objective on drift, whose samples are spans of the run."""


class TierTold(TypedDict):
    """How many tasks were good by all objectives of a tier."""

    tier: str
    good: int
    samples: int
    attainment: float | None
    low: float
    high: float


class EstimateTold(TypedDict):
    """A value with its 95 % interval; an end is None where more samples would be needed to see it."""

    value: float
    low: float | None
    high: float | None
    effective_samples: float


class MetricTold(TypedDict):
    """A distribution."""

    title: str
    unit: str
    count: int
    mean: float | None
    max: float | None
    quantiles: dict[str, EstimateTold | None]
    histogram: list[list[int]]


class PollsTold(TypedDict):
    """All polls."""

    count: int
    empty: int
    empty_share: float | None
    events: int
    bytes: int
    extra: int
    extra_bytes: int


class PollsByLength(TypedDict):
    """Poll latency where the log had so many events."""

    from_events: int
    to_events: int
    count: int
    p50: float
    p95: float


class ErrorTold(TypedDict):
    """A kind of error, or of refusal."""

    kind: str
    count: int


class LoadExchange(TypedDict):
    """A request and its answer, trimmed."""

    request: str
    sent_at: float
    received_at: float
    status: int
    body: str


class LoadEvidence(TypedDict):
    """What one user saw."""

    sentence: str
    at: float
    user: int
    exchanges: list[LoadExchange]


class BrokenRow(TypedDict):
    """A requirement that was broken under load."""

    requirement: str
    title: str
    breaks: dict[str, str]
    count: int
    evidence: list[LoadEvidence]


class SeriesTold(TypedDict):
    """Columns of equal length."""

    seconds_per_point: float
    columns: dict[str, list[float | None]]


class RatioTold(TypedDict):
    """A number of this run over that of the run before."""

    name: str
    unit: str
    old: float | None
    new: float | None
    ratio: float | None
    low: float | None
    high: float | None
    change: str


class ComparisonTold(TypedDict):
    """Against an earlier run of the same workload."""

    baseline: str
    noise_floor: float
    sentence: str
    ratios: list[RatioTold]


class GeneratorTold(TypedDict):
    """How the generator fared, and why it cannot be trusted, if so."""

    problems: list[str]
    notes: NotRequired[list[str]]


class LoadResult(TypedDict):
    """The whole file."""

    kind: Literal["sendpoll load result"]
    schema_version: Literal[2]
    tool: ToolTold
    verdict: str
    sentence: str
    reasons: list[str]
    exit_code: int
    started_at: str
    seconds: float
    interrupted: bool
    target: TargetTold
    scenario: ScenarioJson
    workload_digest: str
    seed: int
    environment: EnvironmentTold
    ledger: LedgerTold
    gates: list[GateTold]
    tiers: list[TierTold]
    goodput: EstimateTold | None
    metrics: dict[str, MetricTold]
    polls: PollsTold
    poll_by_log_length: list[PollsByLength]
    refusals: list[ErrorTold]
    errors: list[ErrorTold]
    violations: list[BrokenRow]
    missed: NotRequired[list[BrokenRow]]
    samples: list[dict[str, Any]]
    series: SeriesTold
    aborted: NotRequired[str]
    """Which failed objective ended the run, and when; absent where none did."""
    spent: NotRequired[SpentTold]
    """Absent in files of versions that did not tell it."""
    comparison: NotRequired[ComparisonTold]
    restart: NotRequired[RestartTold]
    """What a restart of the server cost; absent where there was none."""
    network: NotRequired[NetworkJson]
    """What faults of the network cost; absent where there were none on purpose."""
    observed: NotRequired[ObservedTold]
    """The server's own figures; absent where none were watched."""
    generator: GeneratorTold
