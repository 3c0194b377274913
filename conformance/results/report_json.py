"""`report.json` as types: what `files/report.json` of the schemas asks for, held to it by a test."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Tool(TypedDict):
    """What wrote the file."""

    name: Literal["sendpoll"]
    version: str


class RequestTold(TypedDict):
    """A request, trimmed."""

    method: str
    target: str
    headers: list[list[str]]
    body: str | None


class ResponseTold(TypedDict):
    """A response, trimmed."""

    status: int
    reason: str
    headers: list[list[str]]
    body: str
    body_bytes: int


class ExchangeTold(TypedDict):
    """One request and what came of it."""

    number: int
    operation: NotRequired[str]
    shape: NotRequired[str]
    request: RequestTold
    response: ResponseTold | None
    failure: str
    at_s: float
    took_s: float
    curl: NotRequired[str]


class ViolationTold(TypedDict):
    """Something that was observed, so many times."""

    sentence: str
    count: int
    exchanges: list[ExchangeTold]


class Row(TypedDict):
    """A requirement, and what it came to."""

    id: str
    level: str
    title: str
    because: str
    breaks: dict[str, str]
    verdict: str
    exercised: int
    violations: list[ViolationTold]
    reason: str
    checks: list[str]


class PollTold(TypedDict):
    """One poll of a task."""

    reader: str
    asked: int
    at_s: float
    took_s: float
    status: str
    events: int
    next_offset: int
    text: str


class TaskTold(TypedDict):
    """A task that was read to its end, or as far as it went."""

    task_id: str
    prompt: str
    final_status: str | None
    events: int
    polls: list[PollTold]


class ClientRun(TypedDict):
    """One run of a client."""

    message: str
    end: str
    exit_code: int | None
    seconds: float
    shown: str
    words: str
    left: int


class SituationTold(TypedDict):
    """A situation that was played to a client."""

    name: str
    title: str
    verdicts: dict[str, str]
    runs: list[ClientRun]
    exchanges: list[ExchangeTold]
    unshown: int


class ReportTarget(TypedDict):
    """Who was judged."""

    url: NotRequired[str]
    command: NotRequired[str]
    workspace: NotRequired[str]
    shape: NotRequired[str]
    offset_unit: NotRequired[str]


class LeftBehind(TypedDict):
    """What the run made on a server."""

    workspaces: list[str]
    conversations: list[str]
    tasks: list[str]


class ExcludedRow(TypedDict):
    """A row of the catalogue without a check."""

    id: str
    reason: str


class TraitTold(TypedDict):
    """What kind of server it is in one respect, and what showed it."""

    name: str
    sentence: str
    evidence: str
    source: str


class UnfinishedTold(TypedDict):
    """The rows that more time or more messages would judge, and the command that does."""

    rows: list[str]
    command: str


class BaselineTold(TypedDict):
    """How the run compares with known failures."""

    known: list[str]
    stale: list[str]
    expired: list[str]
    unlisted: list[str]
    reasons: NotRequired[dict[str, str]]


class WhoseFault(TypedDict):
    """Whose fault it was, as far as traffic shows."""

    whose: str
    sentence: str


class Report(TypedDict):
    """The whole file."""

    schema_version: Literal[1]
    subject: str
    tool: Tool
    verdict: str
    fault: NotRequired[WhoseFault]
    exit_code: int
    interrupted: NotRequired[str]
    summary: str
    level: str
    strict: bool
    seed: NotRequired[int]
    examples: NotRequired[int]
    target: ReportTarget
    started_at: str
    duration_s: float
    requests: int
    messages_sent: int
    requirements: list[Row]
    excluded: list[ExcludedRow]
    tasks: NotRequired[list[TaskTold]]
    situations: NotRequired[list[SituationTold]]
    left_behind: NotRequired[LeftBehind]
    notes: list[str]
    baseline: NotRequired[BaselineTold]
    traits: NotRequired[list[TraitTold]]
    unfinished: NotRequired[UnfinishedTold]
