"""A trend as people read it: a table in the terminal, a page with a plot a number, and files for other services."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from sendpoll.core.reports.console import SafeConsole, grid, section
from sendpoll.core.reports.files import Rendering, json_text, write_report
from sendpoll.core.reports.page import Page
from sendpoll.core.text.safe import one_line
from sendpoll.core.text.units import NOTHING, counted, percent, quantity
from sendpoll.load.trend.trend_exports import bencher_metrics, github_benchmark
from sendpoll.load.trend.trend_json import ChangeTold, Trend, TrendMeasure, TrendSeries

_STYLES: Final = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold yellow"}


def amount(value: float | None, unit: str) -> str:
    """A number of a trend with its unit."""
    return percent(value) if unit == "share" else quantity(value, unit)


def change_text(change: ChangeTold, unit: str) -> str:
    """A change in words."""
    ratio = "" if change["ratio"] is None else f", {change['ratio'] - 1:+.1%}"
    before, after = amount(change["before"], unit), amount(change["after"], unit)
    return f"{before} to {after}{ratio} since {change['started_at'][:16]} (run {change['run'] + 1})"


_PAGE: Final = Page("sendpoll.load.trend", "trend.html.j2", filters={"amount": amount, "change": change_text})


def print_trend(trend: Trend, console: SafeConsole) -> None:
    """The verdict, and a table a workload."""
    console.print_lines(Group(*_parts(trend)))


def _parts(trend: Trend) -> Iterator[RenderableType]:
    word = trend["verdict"]
    yield Text.assemble((word.upper(), _STYLES[word]), f"  {one_line(trend['sentence'], 500)}")
    for series in trend["series"]:
        title = f"{series['kind']} {one_line(series['scenario'])}, {counted(len(series['runs']), 'run')}"
        yield section(title, _table(series))
    for skipped in trend["skipped"]:
        yield Text(f"left out: {one_line(skipped['file'])}: {one_line(skipped['reason'])}", "dim")


def _table(series: TrendSeries) -> RenderableType:
    table = grid("left", "right", "right", "left", heads=("", "first", "last", "last change"))
    for measure in series["measures"]:
        known = [value for value in measure["values"] if value is not None]
        ends = [amount(value, measure["unit"]) for value in (known[0], known[-1])]
        style = "red" if measure["regressed"] else "dim"
        last = change_text(measure["changes"][-1], measure["unit"]) if measure["changes"] else NOTHING
        table.add_row(measure["name"], *ends, Text(last, style))
    return table


def trend_html(trend: Trend) -> str:
    """The page, complete in itself."""
    drawn = [_plot(series, measure) for series in trend["series"] for measure in series["measures"]]
    return _PAGE.render({"trend": trend}, {"plots": drawn})


def _plot(series: TrendSeries, measure: TrendMeasure) -> dict[str, Any]:
    runs = [place + 1 for place in range(len(measure["values"]))]
    edges = [0, *(change["run"] for change in measure["changes"]), len(runs)]
    levels = [change["before"] for change in measure["changes"]]
    levels += [measure["changes"][-1]["after"]] if measure["changes"] else []
    held = [level for level, start, end in zip(levels, edges, edges[1:], strict=False) for _ in range(start, end)]
    unit = {"s": "seconds", "share": "share"}.get(measure["unit"], measure["name"])
    lines: list[dict[str, Any]] = [
        {"label": "95 % from", "colour": "--dim", "width": 0.5},
        {"label": "95 % to", "colour": "--dim", "width": 0.5},
        {"label": "run", "colour": "--c0"},
    ]
    columns: list[Any] = [runs, measure["lows"], measure["highs"], measure["values"]]
    if held:
        lines.append({"label": "level", "colour": "--bad" if measure["regressed"] else "--c2", "dash": True})
        columns.append(held)
    title = f"{measure['name']}, {series['kind']} {series['scenario']}"
    bands = [{"low": 0, "high": 1, "colour": "--c0"}]
    return {"title": title, "x": "run", "axes": [unit], "series": lines, "bands": bands, "columns": columns}


def write_trend(trend: Trend, folder: Path) -> None:
    """Write `trend.json`, `trend.html` and what other services read. Raises UnwrittenError, InvalidFileError."""
    renderings: dict[str, Callable[[], Rendering]] = {
        "trend.html": functools.partial(trend_html, trend),
        "bencher.json": lambda: json_text(bencher_metrics(trend)),
        "benchmark-smaller-is-better.json": lambda: json_text(github_benchmark(trend, "lower")),
        "benchmark-bigger-is-better.json": lambda: json_text(github_benchmark(trend, "higher")),
    }
    write_report(folder, "trend.json", "trend.json", trend, renderings)
