"""Markdown of a load run, short enough for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sendpoll.core.reports.markdown import bullets, document, table
from sendpoll.core.text.safe import markdown
from sendpoll.core.text.units import counted, percent, quantity, short_seconds
from sendpoll.load.observe.observed import ObservedTold
from sendpoll.load.report.phrases import booked, extra_polls, interval, notes, own_reasons, ratio, value_of
from sendpoll.load.report.what_gives import observed_lines
from sendpoll.load.results.result_json import BrokenRow, LoadResult

SHOWN: Final = ("ttfe", "task", "stall", "submit", "poll")
_COLUMNS: Final = ("p50", "p95", "p99")


def markdown_summary(result: LoadResult) -> str:
    """The whole text. Nothing that a server said is markup in it."""
    return document(_blocks(result))


def _blocks(result: LoadResult) -> Iterator[str]:
    yield f"## Sendpoll load: {result['verdict'].upper()}"
    yield f"{markdown(result['sentence'])}."
    yield bullets(markdown(reason, 500) for reason in (*own_reasons(result), *notes(result)))
    yield (
        f"Scenario {markdown(result['scenario']['name'])} against {markdown(result['target']['base_url'])}, "
        f"{short_seconds(result['seconds'])}."
    )
    yield table(
        ("Objective", "Verdict", "Why"),
        [(markdown(gate["objective"]), gate["verdict"], markdown(gate["sentence"])) for gate in result["gates"]],
    )
    yield from observed_blocks(result.get("observed"))
    yield _numbers(result)
    yield _tasks(result)
    yield from _refusals(result)
    yield from _broken_rows("Broken requirement", result["violations"])
    yield from _broken_rows("Missed, and no client breaks by it", result.get("missed", []))
    yield from _comparison(result)
    if "spent" in result:
        yield f"Spent: {result['spent']['sentence']}."


def observed_blocks(told: ObservedTold | None) -> Iterator[str]:
    """What gave, and what else was seen."""
    if told is not None:
        yield f"What gives: {markdown(told['sentence'], 500)}."
        yield bullets(markdown(line, 500) for line in observed_lines(told))


def _numbers(result: LoadResult) -> str:
    rows = []
    for name in SHOWN:
        metric = result["metrics"][name]
        values = [value_of(metric["quantiles"][column], metric["unit"]) for column in _COLUMNS]
        bounds = interval(metric["quantiles"]["p95"], metric["unit"])
        rows.append((metric["title"], f"{metric['count']:,}", *values, bounds))
    return table(("", ">n", *(f">{column}" for column in _COLUMNS), "95% interval of p95"), rows)


def _tasks(result: LoadResult) -> str:
    ledger, polls = result["ledger"], result["polls"]
    besides = f" {extra_polls(polls)} besides." if polls["extra"] else ""
    return (
        f"{counted(ledger['started'], 'task')} started: {booked(ledger)}; {ledger['dropped']:,} dropped before. "
        f"Goodput {value_of(result['goodput'], '')} tasks/s, "
        f"attainment {percent(result['tiers'][0]['attainment'])}, "
        f"empty polls {percent(polls['empty_share'])}.{besides}"
    )


def _refusals(result: LoadResult) -> Iterator[str]:
    if result["refusals"]:
        rows = [(markdown(row["kind"]), f"{row['count']:,}") for row in result["refusals"]]
        yield table(("Refused", ">Times"), rows)


def _broken_rows(title: str, broken: Sequence[BrokenRow]) -> Iterator[str]:
    if broken:
        rows = []
        for row in broken:
            first = row["evidence"][0]["sentence"] if row["evidence"] else ""
            rows.append((markdown(row["requirement"]), f"{row['count']:,}", markdown(first)))
        yield table((title, ">Times", "First seen"), rows)


def _comparison(result: LoadResult) -> Iterator[str]:
    comparison = result.get("comparison")
    if not comparison:
        return
    yield f"Against the run of {markdown(comparison['baseline'])}: {markdown(comparison['sentence'])}."
    rows = [
        (
            row["name"],
            quantity(row["old"], row["unit"]),
            quantity(row["new"], row["unit"]),
            ratio(row),
            row["change"],
        )
        for row in comparison["ratios"]
    ]
    yield table(("", ">Before", ">Now", ">Now / before", ""), rows)
