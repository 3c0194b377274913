"""`trend.json` as types: what `files/trend.json` of the schemas asks for, held to it by a test."""

from __future__ import annotations

from typing import Literal, TypedDict


class TrendTool(TypedDict):
    """What wrote the file."""

    name: Literal["sendpoll"]
    version: str


class TrendRun(TypedDict):
    """A run of the series."""

    file: str
    started_at: str
    verdict: str


class ChangeTold(TypedDict):
    """A change of level: the first run of the new one, counted from 0, and the medians on both sides."""

    run: int
    started_at: str
    before: float
    after: float
    ratio: float | None
    p_value: float
    worse: bool


class TrendMeasure(TypedDict):
    """A number over the runs; null where a run did not measure it."""

    name: str
    unit: str
    better: str
    values: list[float | None]
    lows: list[float | None]
    highs: list[float | None]
    changes: list[ChangeTold]
    regressed: bool


class TrendSeries(TypedDict):
    """All runs of one workload."""

    kind: str
    scenario: str
    workload_digest: str
    enough: bool
    runs: list[TrendRun]
    measures: list[TrendMeasure]


class TrendSkipped(TypedDict):
    """A run that says nothing."""

    file: str
    reason: str


class Trend(TypedDict):
    """The whole file."""

    kind: Literal["sendpoll trend"]
    schema_version: Literal[1]
    tool: TrendTool
    verdict: str
    exit_code: int
    sentence: str
    recent: int
    least_change: float
    series: list[TrendSeries]
    skipped: list[TrendSkipped]
