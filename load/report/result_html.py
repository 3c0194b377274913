"""The HTML report of a load run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sendpoll.core.reports.page import Page
from sendpoll.core.text.units import percent
from sendpoll.load.report import phrases
from sendpoll.load.report.what_gives import observed_lines, observed_plots
from sendpoll.load.results.load_result import DURATIONS
from sendpoll.load.results.result_json import LoadResult

LATENCIES: Final = tuple(name for name in DURATIONS if name not in {"lag", "slip", "server_slip"})
QUANTILES: Final = ("p50", "p90", "p95", "p99", "p99.9")

_LINES: Final = (
    (
        "Users and throughput",
        ("users", "tasks/s"),
        (("users", "users", 0, "--c0"), ("goodput", "good/s", 1, "--c2"), ("bad", "bad/s", 1, "--c3")),
    ),
    ("Time to first event", ("seconds",), (("ttfe_p50", "p50", 0, "--c0"), ("ttfe_p95", "p95", 0, "--c1"))),
    ("Task time", ("seconds",), (("task_p50", "p50", 0, "--c0"), ("task_p95", "p95", 0, "--c1"))),
    (
        "Poll latency, from the scheduled time",
        ("seconds",),
        (("poll_p50", "p50", 0, "--c0"), ("poll_p95", "p95", 0, "--c1"), ("poll_p99", "p99", 0, "--c3")),
    ),
    ("Polls", ("polls/s", "share"), (("polls", "polls/s", 0, "--c0"), ("empty_share", "empty", 1, "--c1"))),
    (
        "Errors and violations",
        ("errors/s", "violations"),
        (("errors", "errors/s", 0, "--c1"), ("violations", "violations", 1, "--c3")),
    ),
    (
        "The generator itself",
        ("seconds",),
        (("lag_p99", "loop lag p99", 0, "--c0"), ("slip_p99", "poll slip p99", 0, "--c1")),
    ),
)
"""What is drawn over time: a title, the axes, and for each line the series of the result, its name, axis and colour."""
_PAGE: Final = Page(
    "sendpoll.load.report",
    "load.html.j2",
    filters={
        "interval": phrases.interval,
        "value": phrases.value_of,
        "ratio": phrases.ratio,
        "extra_polls": phrases.extra_polls,
    },
)


def html_report(result: LoadResult) -> str:
    """The page, complete in itself: it can be mailed, kept and read offline."""
    context = {
        "result": result,
        "besides": observed_lines(result.get("observed")),
        "reasons": [*phrases.own_reasons(result), *phrases.notes(result)],
        "latencies": [result["metrics"][name] for name in LATENCIES],
        "processes": _processes(result["generator"]),
        "quantiles": QUANTILES,
        "scenario_text": json.dumps(result["scenario"], ensure_ascii=False, indent=2),
        "samples_text": json.dumps(result["samples"], ensure_ascii=False, indent=2),
    }
    drawn = [*(_plot(*line) for line in _LINES), *observed_plots(result.get("observed"), "users")]
    return _PAGE.render(context, {"columns": result["series"]["columns"], "plots": drawn})


def _plot(title: str, axes: Sequence[str], lines: Sequence[tuple[str, str, int, str]]) -> dict[str, Any]:
    return {
        "title": title,
        "x": "clock",
        "axes": axes,
        "series": [{"label": label, "axis": axis, "colour": colour} for _, label, axis, colour in lines],
        "columns": ["t", *(column for column, *_ in lines)],
    }


def _processes(generator: Mapping[str, Any]) -> dict[str, str]:
    """What each process of the generator used."""
    return {
        f"CPU of {name}": f"{percent(used['cpu'])} of a core, throttled for {percent(used['throttled'])} of the time"
        for name, used in generator.get("processes", {}).items()
    }
