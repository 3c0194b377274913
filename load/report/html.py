"""The HTML report of a load run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from sendpoll.load.report.page import page
from sendpoll.load.report.text import own_reasons, percent
from sendpoll.load.results.result import DURATIONS

Result = Mapping[str, Any]

LATENCIES: Final = tuple(name for name in DURATIONS if name not in {"lag", "slip", "server_slip"})
QUANTILES: Final = ("p50", "p90", "p95", "p99", "p99.9")

_PLOTS: Final = (
    {
        "title": "Users and throughput",
        "axes": ["users", "tasks/s"],
        "series": [
            {"column": "users", "label": "users", "axis": 0, "colour": 0},
            {"column": "goodput", "label": "good/s", "axis": 1, "colour": 2},
            {"column": "bad", "label": "bad/s", "axis": 1, "colour": 3},
        ],
    },
    {
        "title": "Time to first event",
        "axes": ["seconds"],
        "series": [
            {"column": "ttfe_p50", "label": "p50", "colour": 0},
            {"column": "ttfe_p95", "label": "p95", "colour": 1},
        ],
    },
    {
        "title": "Task time",
        "axes": ["seconds"],
        "series": [
            {"column": "task_p50", "label": "p50", "colour": 0},
            {"column": "task_p95", "label": "p95", "colour": 1},
        ],
    },
    {
        "title": "Poll latency, from the scheduled time",
        "axes": ["seconds"],
        "series": [
            {"column": "poll_p50", "label": "p50", "colour": 0},
            {"column": "poll_p95", "label": "p95", "colour": 1},
            {"column": "poll_p99", "label": "p99", "colour": 3},
        ],
    },
    {
        "title": "Polls",
        "axes": ["polls/s", "share"],
        "series": [
            {"column": "polls", "label": "polls/s", "axis": 0, "colour": 0},
            {"column": "empty_share", "label": "empty", "axis": 1, "colour": 1},
        ],
    },
    {
        "title": "Errors and violations",
        "axes": ["errors/s", "violations"],
        "series": [
            {"column": "errors", "label": "errors/s", "axis": 0, "colour": 1},
            {"column": "violations", "label": "violations", "axis": 1, "colour": 3},
        ],
    },
    {
        "title": "The generator itself",
        "axes": ["seconds"],
        "series": [
            {"column": "lag_p99", "label": "loop lag p99", "colour": 0},
            {"column": "slip_p99", "label": "poll slip p99", "colour": 1},
        ],
    },
)
"""What is drawn over time; each column is one of the result's series."""


def html_report(result: Result) -> str:
    """The page, complete in itself: it can be mailed, kept and read offline."""
    context = {
        "result": result,
        "reasons": own_reasons(result),
        "latencies": [result["metrics"][name] for name in LATENCIES],
        "processes": _processes(result["generator"]),
        "quantiles": QUANTILES,
        "scenario_text": json.dumps(result["scenario"], ensure_ascii=False, indent=2),
        "samples_text": json.dumps(result["samples"], ensure_ascii=False, indent=2),
    }
    return page("load.html.j2", context, {"columns": result["series"]["columns"], "plots": _PLOTS})


def _processes(generator: Mapping[str, Any]) -> dict[str, str]:
    """What each process of the generator used."""
    return {
        f"CPU of {name}": f"{percent(used['cpu'])} of a core, throttled for {percent(used['throttled'])} of the time"
        for name, used in generator.get("processes", {}).items()
    }
