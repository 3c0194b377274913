"""Markdown of a load run, short enough for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sendpoll.core.text.durations import short_seconds
from sendpoll.load.report.text import (
    counted,
    extra_polls,
    interval,
    markdown,
    own_reasons,
    percent,
    quantity,
    ratio,
    value_of,
)

Result = Mapping[str, Any]
SHOWN: Final = ("ttfe", "task", "stall", "submit", "poll")
_COLUMNS: Final = ("p50", "p95", "p99")


def markdown_summary(result: Result) -> str:
    """The whole text. Nothing that a server said is markup in it."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    yield f"## Sendpoll load: {result['verdict'].upper()}"
    yield ""
    yield f"{markdown(result['sentence'])}."
    yield ""
    yield from (f"- {markdown(reason, 500)}" for reason in own_reasons(result))
    yield ""
    yield (
        f"Scenario {markdown(result['scenario']['name'])} against {markdown(result['target']['base_url'])}, "
        f"{short_seconds(result['seconds'])}."
    )
    yield ""
    yield from _gates(result)
    yield from _numbers(result)
    yield from _ledger(result)
    yield from _violations(result)
    yield from _comparison(result)


def _gates(result: Result) -> Iterator[str]:
    yield "| Objective | Verdict | Why |"
    yield "|---|---|---|"
    for gate in result["gates"]:
        yield f"| {markdown(gate['objective'])} | {gate['verdict']} | {markdown(gate['sentence'])} |"
    yield ""


def _numbers(result: Result) -> Iterator[str]:
    yield f"| | n | {' | '.join(_COLUMNS)} | 95% interval of p95 |"
    yield "|---|--:|--:|--:|--:|---|"
    for name in SHOWN:
        metric = result["metrics"][name]
        values = " | ".join(value_of(metric["quantiles"][column], metric["unit"]) for column in _COLUMNS)
        bounds = interval(metric["quantiles"]["p95"], metric["unit"])
        yield f"| {metric['title']} | {metric['count']:,} | {values} | {bounds} |"
    yield ""


def _ledger(result: Result) -> Iterator[str]:
    ledger = result["ledger"]
    yield (
        f"{counted(ledger['started'], 'task')} started: {ledger['good']:,} good, {ledger['slow']:,} slow, "
        f"{ledger['failed']:,} failed, {ledger['timed_out']:,} timed out, {ledger['abandoned']:,} abandoned; "
        f"{ledger['dropped']:,} dropped before. Goodput {value_of(result['goodput'], '')} tasks/s, "
        f"attainment {percent(result['tiers'][0]['attainment'])}, "
        f"empty polls {percent(result['polls']['empty_share'])}."
        + (f" {extra_polls(result['polls'])} besides." if result["polls"]["extra"] else "")
    )


def _violations(result: Result) -> Iterator[str]:
    if not result["violations"]:
        return
    yield ""
    yield "| Broken requirement | Times | First seen |"
    yield "|---|--:|---|"
    for row in result["violations"]:
        first = row["evidence"][0]["sentence"] if row["evidence"] else ""
        yield f"| {markdown(row['requirement'])} | {row['count']:,} | {markdown(first)} |"


def _comparison(result: Result) -> Iterator[str]:
    comparison = result.get("comparison")
    if not comparison:
        return
    yield ""
    yield f"Against the run of {markdown(comparison['baseline'])}: {markdown(comparison['sentence'])}."
    yield ""
    yield "| | Before | Now | Now / before | |"
    yield "|---|--:|--:|--:|---|"
    for row in comparison["ratios"]:
        old, new = (quantity(row[side], row["unit"]) for side in ("old", "new"))
        yield f"| {row['name']} | {old} | {new} | {ratio(row)} | {row['change']} |"
