"""What a person sees in the terminal: the live line while a run lasts, and the summary at its end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from sendpoll.core.reports.console import COLUMNS, SafeConsole, grid, section
from sendpoll.core.text.safe import one_line
from sendpoll.core.text.units import NOTHING, counted, percent, quantity, short_seconds, three_digits
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.observe.observed import ObservedTold
from sendpoll.load.report.phrases import booked, extra_polls, interval, notes, own_reasons, ratio, value_of
from sendpoll.load.report.what_gives import observed_lines
from sendpoll.load.results.result_json import BrokenRow, ComparisonTold, ErrorTold, LoadResult

_STYLES: Final = {
    "pass": "bold green",
    "fail": "bold red",
    "inconclusive": "bold yellow",
    "invalid": "bold magenta",
    "unreachable": "bold magenta",
    "interrupted": "bold yellow",
}
_SHOWN: Final = {
    "ttfe": "first event",
    "task": "task",
    "stall": "longest stall",
    "submit": "submit",
    "poll": "poll (scheduled)",
    "poll_from_send": "poll (sent)",
}
_QUANTILES: Final = ("p50", "p95", "p99")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How a run stands now."""

    elapsed_s: float
    users: int
    ended: int
    bad: int
    """Tasks that the server ended otherwise than well, dropped arrivals among them; whom the user left is not."""
    goodput: float
    """Good tasks a second, of late."""
    ttfe_p95_s: float | None
    violations: int
    lag_p99_s: float | None
    problems: Sequence[str] = ()

    @classmethod
    def of(cls, metrics: Metrics, elapsed_s: float, users: int, problems: Sequence[str] = ()) -> Snapshot:
        """Read the numbers of a run that goes on; goodput is that of the last 10 windows."""
        total, ledger = metrics.total, metrics.ledger
        late = metrics.series[-10:]
        seconds = sum(window.seconds for window in late)
        ttfe, lag = total.histograms["ttfe"], total.histograms["lag"]
        return cls(
            elapsed_s=elapsed_s,
            users=users,
            ended=ledger.ended,
            bad=ledger.ended - ledger.good - ledger.abandoned + ledger.dropped,
            goodput=sum(window.ledger.good for window in late) / seconds if seconds else 0.0,
            ttfe_p95_s=ttfe.quantile(0.95) / 1e6 if ttfe else None,
            violations=metrics.broken,
            lag_p99_s=lag.quantile(0.99) / 1e6 if lag else None,
            problems=tuple(problems),
        )


def progress_line(snapshot: Snapshot) -> Text:
    """The state of a run on one line of at most 80 columns, what matters most first.

    `ttfe` is its p95, `lag` the p99 of the generator's event loop.
    """
    line = Text(no_wrap=True, overflow="ellipsis")
    minutes, seconds = divmod(int(snapshot.elapsed_s), 60)
    line.append(f"{minutes}:{seconds:02}", "dim")
    line.append(f"  {counted(snapshot.users, 'user')}  {counted(snapshot.ended, 'task')}")
    line.append(f", {snapshot.bad:,} bad", "red" if snapshot.bad else "dim")
    if snapshot.violations:
        line.append(f"  {counted(snapshot.violations, 'violation')}", "bold red")
    if snapshot.problems:
        line.append("  generator late", "bold magenta")
    line.append(f"  {three_digits(snapshot.goodput)} good/s  ttfe {_maybe(snapshot.ttfe_p95_s)}")
    line.append(f"  lag {_maybe(snapshot.lag_p99_s)}", "dim")
    line.truncate(COLUMNS, overflow="ellipsis")
    return line


def print_summary(result: LoadResult, console: SafeConsole) -> None:
    """Write the summary of a run."""
    console.print_lines(summary(result))


def summary(result: LoadResult) -> RenderableType:
    """The verdict with its reasons, the gates, the numbers, the ledger, and what broke."""
    parts = [_verdict(result)]
    if result["verdict"] == "unreachable":
        return Group(*parts)
    parts.append(section("Objectives", _gates(result)))
    if result["ledger"]["started"] or result["ledger"]["dropped"]:
        parts += [section("Latency", _latencies(result)), section("Tasks", _tasks(result))]
    if "observed" in result:
        parts.append(section("What gives", observed_text(result["observed"])))
    if "comparison" in result:
        parts.append(section("Against the run before", _comparison(result["comparison"])))
    for title, rows, style in (
        ("Broken requirements", result["violations"], "bold red"),
        ("Missed, and no published client breaks by it", result.get("missed", []), "yellow"),
    ):
        if rows:
            parts.append(section(title, Group(*_broken_rows(rows, style))))
    for title, kinds in (("Refusals", result["refusals"]), ("Errors", result["errors"])):
        if kinds:
            parts.append(section(title, Group(*_kinds(kinds))))
    spent = result.get("spent")
    if spent is not None and (spent["cost"] is not None or spent["max_messages"] is not None):
        parts.append(section("Spent", Text(spent["sentence"])))  # else the tasks above have said it
    return Group(*parts)


def _verdict(result: LoadResult) -> RenderableType:
    word = result["verdict"]
    head = Text.assemble((word.upper(), _STYLES[word]), f"  {one_line(result['sentence'])}")
    reasons = [Padding(Text(one_line(reason, 500)), (0, 0, 0, 2)) for reason in (*own_reasons(result), *notes(result))]
    return Group(head, *reasons)


def _gates(result: LoadResult) -> RenderableType:
    table = grid("left", "left", "left")
    for gate in result["gates"]:
        table.add_row(
            Text(gate["verdict"], _STYLES[gate["verdict"]]),
            Text(one_line(gate["objective"])),
            Text(one_line(gate["sentence"])),
        )
    return table


def _latencies(result: LoadResult) -> RenderableType:
    heads = ("", "n", *_QUANTILES, "p95, 95% interval")
    table = grid("left", "right", "right", "right", "right", "left", heads=heads)
    for name, label in _SHOWN.items():
        metric = result["metrics"][name]
        values = [value_of(metric["quantiles"][column], metric["unit"]) for column in _QUANTILES]
        bounds = interval(metric["quantiles"]["p95"], metric["unit"])
        table.add_row(label, f"{metric['count']:,}", *values, Text(bounds, "dim"))
    return table


def _tasks(result: LoadResult) -> RenderableType:
    ledger, polls = result["ledger"], result["polls"]
    dropped = f"; {counted(ledger['dropped'], 'arrival')} dropped" if ledger["dropped"] else ""
    per_task = value_of(result["metrics"]["polls_per_task"]["quantiles"]["p50"], "")
    return Group(
        Text(f"{ledger['started']:,} started = {booked(ledger)}{dropped}"),
        Text(
            f"goodput {value_of(result['goodput'], '')} tasks/s ({interval(result['goodput'], '') or NOTHING}), "
            f"attainment {percent(result['tiers'][0]['attainment'])}"
        ),
        Text(
            f"{counted(polls['count'], 'poll')}, {per_task} per task, {percent(polls['empty_share'])} empty, "
            f"{counted(polls['events'], 'event')}"
        ),
        *([Text(f"{extra_polls(polls)} besides")] if polls["extra"] else []),
    )


def observed_text(told: ObservedTold) -> RenderableType:
    """What gave, and what else was seen."""
    besides = [Text(one_line(line, 500), "dim") for line in observed_lines(told)]
    return Group(Text(one_line(told["sentence"], 500)), *besides)


def _comparison(comparison: ComparisonTold) -> RenderableType:
    table = grid("left", "right", "right", "left", "left")
    for row in comparison["ratios"]:
        old, new = (quantity(row[side], row["unit"]) for side in ("old", "new"))
        style = {"worse": "red", "better": "green"}.get(row["change"], "dim")
        table.add_row(row["name"], old, new, ratio(row), Text(row["change"], style))
    return Group(Text(one_line(comparison["sentence"])), table)


def _broken_rows(rows: Sequence[BrokenRow], style: str) -> Iterator[RenderableType]:
    for row in rows:
        yield Text.assemble((one_line(row["requirement"]), style), f"  {row['count']:,}x  {one_line(row['title'])}")
        for evidence in row["evidence"][:1]:
            yield Padding(Text(one_line(evidence["sentence"])), (0, 0, 0, 2))
            for exchange in evidence["exchanges"]:
                line = f"{one_line(exchange['request'])} -> {exchange['status']} {one_line(exchange['body'], 120)}"
                yield Padding(Text(line, "dim"), (0, 0, 0, 2))


def _kinds(rows: Sequence[ErrorTold]) -> Iterator[RenderableType]:
    for row in rows[:8]:
        yield Text(f"{row['count']:,}x  {one_line(row['kind'])}")
    if len(rows) > 8:
        yield Text(f"and {len(rows) - 8} other kinds, in result.json", "dim")


def _maybe(seconds: float | None) -> str:
    return NOTHING if seconds is None else short_seconds(seconds)
