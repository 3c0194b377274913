"""Markdown of a plan, short enough for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sendpoll.core.text.digits import three_digits
from sendpoll.core.text.durations import short_seconds
from sendpoll.load.report.text import NOTHING, markdown, percent, quantity, replicas_between

Result = Mapping[str, Any]


def plan_markdown(result: Result) -> str:
    """The whole text. Nothing that a server said is markup in it."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    yield f"## Sendpoll plan: {result['end'].replace('_', ' ').upper()}"
    yield ""
    yield markdown(result["sentence"], 900)
    yield ""
    yield from (f"- {markdown(note, 500)}" for note in result["notes"])
    yield ""
    yield (
        f"Scenario {markdown(result['scenario']['name'])} against {markdown(result['target']['base_url'])}, "
        f"{short_seconds(result['seconds'])}."
    )
    yield ""
    yield from _objectives(result)
    yield from _steps(result)
    yield from _sizing(result)
    yield from _polls(result)


def level_of(value: float | None, unit: str) -> str:
    """A level as tables write it."""
    if value is None:
        return NOTHING
    return f"{int(value)}" if unit == "users" else three_digits(value)


def _objectives(result: Result) -> Iterator[str]:
    unit = result["unit"]
    if len(result["tiers"]) > 1:
        yield f"| Tier | Holds {unit} | 95% interval | Gives first |"
        yield "|---|--:|---|---|"
        for tier in result["tiers"]:
            level, low, high = (level_of(tier[key], unit) for key in ("level", "low", "high"))
            first = markdown(tier["binding"] or NOTHING)
            yield f"| {markdown(tier['tier'] or 'every tier')} | {level} | {low} to {high} | {first} |"
        yield ""
    yield f"| Objective | Holds until ({unit}) | 95% interval | |"
    yield "|---|--:|---|---|"
    for tier in result["tiers"]:
        for row in tier["objectives"]:
            bounds = f"{level_of(row['low'], unit)} to {level_of(row['high'], unit)}"
            first = "gives first" if row["objective"] == tier["binding"] else ""
            yield f"| {markdown(row['objective'])} | {level_of(row['level'], unit)} | {bounds} | {first} |"
    yield ""


def _steps(result: Result) -> Iterator[str]:
    yield f"| {result['unit']} | Verdict | Why | Tasks | Tasks/s | First event p95 | Task p95 | Worst share |"
    yield "|--:|---|---|--:|--:|--:|--:|--:|"
    wanted = {row["objective"] for row in result["answer"]["objectives"]}
    for step in result["steps"]:
        worst = min((row["share"] for row in step["objectives"] if row["objective"] in wanted), default=None)
        yield (
            f"| {level_of(step['level'], result['unit'])} | {step['verdict']} | {step['purpose']} | {step['tasks']} "
            f"| {quantity(step['throughput'], '')} | {quantity(step['ttfe_s']['p95'], 's')} "
            f"| {quantity(step['task_s']['p95'], 's')} | {percent(worst)} |"
        )
    yield ""


def _sizing(result: Result) -> Iterator[str]:
    if not result["sizing"]:
        return
    yield f"| {result['unit']} | Replicas | With one spare | By the interval |"
    yield "|--:|--:|--:|---|"
    for row in result["sizing"]["rows"]:
        yield f"| {row['load']:,} | {row['replicas']:,} | {row['with_spare']:,} | {replicas_between(row)} |"
    yield ""


def _polls(result: Result) -> Iterator[str]:
    if not result["polls"]:
        return
    yield "| Poll each | Polls a task | Empty | Requests/s | Task p95 | Capacity |"
    yield "|--:|--:|--:|--:|--:|---|"
    for row in result["polls"]:
        ends = [level_of(row[key], result["unit"]) for key in ("capacity", "capacity_low", "capacity_high")]
        yield (
            f"| {quantity(row['interval_s'], 's')} | {row['polls_per_task']:.1f} | {percent(row['empty_share'])} "
            f"| {quantity(row['requests_per_second'], '')} | {quantity(row['task_p95_s'], 's')} "
            f"| {ends[0]} ({ends[1]} to {ends[2]}) |"
        )
