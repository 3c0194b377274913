"""The HTML report of a plan: the sentence, the capacity curve, the models, latencies, the recovery, every step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sendpoll.core.reports.page import Page
from sendpoll.load.plan.plan_json import Plan, StepObjective, StepTold
from sendpoll.load.plan.steps import UNSETTLED
from sendpoll.load.report import phrases
from sendpoll.load.report.what_gives import observed_lines, observed_plots

VERDICT_COLOURS: Final = {
    "pass": "--good",
    "fail": "--bad",
    "inconclusive": "--open",
    "invalid": "--void",
    "unreachable": "--void",
}

_Time = Literal["ttfe_s", "task_s"]
_Quantile = Literal["p50", "p95"]
_TIMES: Final[tuple[tuple[_Time, str, str], ...]] = (("ttfe_s", "first event", "--c0"), ("task_s", "task", "--c2"))
_DRAWN: Final[tuple[tuple[_Quantile, bool], ...]] = (("p50", True), ("p95", False))
"""Which quantiles, and whether their line is dashed."""
_PAGE: Final = Page(
    "sendpoll.load.plan.report",
    "plan.html.j2",
    filters={"replicas_between": phrases.replicas_between},
)


def plan_html(result: Plan) -> str:
    """The page, complete in itself: it can be mailed, kept and read offline."""
    drawn = [_capacity(result), _throughput(result), _latency(result), _over_time(result)]
    context = {
        "result": result,
        "besides": observed_lines(result.get("observed")),
        "wanted": [row["objective"] for row in result["answer"]["objectives"]],
        "scenario_text": json.dumps(result["scenario"], ensure_ascii=False, indent=2),
    }
    return _PAGE.render(
        context, {"plots": [*(plot for plot in drawn if plot), *observed_plots(result.get("observed"), result["unit"])]}
    )


@dataclass(slots=True)
class _Plot:
    """Series that each have their own x, joined on all of them, as uPlot wants it."""

    title: str
    x: str
    axes: list[str]
    series: list[dict[str, Any]] = field(default_factory=list)
    bands: list[dict[str, Any]] = field(default_factory=list)
    _values: list[list[tuple[float, float | None]]] = field(default_factory=list)

    def add(self, label: str, colour: str, values: Iterable[tuple[float, float | None]], **more: Any) -> int:
        """Add a series; returns its place, for bands."""
        self.series.append({"label": label, "colour": colour, **more})
        self._values.append(sorted(values, key=lambda point: point[0]))
        return len(self.series) - 1

    def band(self, low: int, high: int, colour: str) -> None:
        """Fill between two series."""
        self.bands.append({"low": low, "high": high, "colour": colour})

    def as_json(self) -> dict[str, Any]:
        """What `plots.js` draws. Where one series has two values at one x, the x comes twice."""
        repeated: dict[float, int] = {}
        for values in self._values:
            seen: dict[float, int] = {}
            for at, _ in values:
                seen[at] = seen.get(at, 0) + 1
            for at, times in seen.items():
                repeated[at] = max(repeated.get(at, 0), times)
        xs = [at for at in sorted(repeated) for _ in range(repeated[at])]
        first = {at: place for place, at in reversed(list(enumerate(xs)))}
        columns: list[list[float | None]] = [list(xs)]
        for values in self._values:
            column: list[float | None] = [None] * len(xs)
            taken: dict[float, int] = {}
            for at, value in values:
                column[first[at] + taken.get(at, 0)] = value
                taken[at] = taken.get(at, 0) + 1
            columns.append(column)
        return {
            "title": self.title,
            "x": self.x,
            "axes": self.axes,
            "series": self.series,
            "bands": self.bands,
            "columns": columns,
        }


def _capacity(result: Plan) -> dict[str, Any] | None:
    """Attainment over load: each step by its verdict, the share that is needed, the answer and its interval."""
    answer = result["answer"]
    wanted = answer["binding"] or next((one["objective"] for one in answer["objectives"]), None)
    steps = _levels_held(result)
    if wanted is None or not steps:
        return None
    share = next(one["share"] for one in answer["objectives"] if one["objective"] == wanted)
    plot = _Plot(f"Capacity: share of tasks that meet {wanted}", result["unit"], ["share"])
    rows = [(step, _row(step, wanted)) for step in steps]
    for verdict, colour in VERDICT_COLOURS.items():
        points = [(step["level"], row["share"]) for step, row in rows if step["verdict"] == verdict and row["samples"]]
        if points:
            plot.add(verdict, colour, points, points=True)
    levels = [step["level"] for step in steps]
    lows = plot.add("95 % from", "--dim", _by_level(rows, "low", min), width=0.5)
    highs = plot.add("95 % to", "--dim", _by_level(rows, "high", max), width=0.5)
    plot.band(lows, highs, "--dim")
    plot.add("needed", "--c1", [(min(levels), share), (max(levels), share)], dash=True)
    ends = (("answer", answer["level"]), ("interval from", answer["low"]), ("interval to", answer["high"]))
    for label, level in ends:
        if level:
            plot.add(label, "--c0", [(level, 0.0), (level, 1.0)], dash=label != "answer")
    return plot.as_json()


def _levels_held(result: Plan) -> list[StepTold]:
    """Steps that show what a level comes to: waves and the like have no level yet."""
    return [step for step in result["steps"] if step["purpose"] not in UNSETTLED]


def _row(step: StepTold, objective: str) -> StepObjective:
    return next(row for row in step["objectives"] if row["objective"] == objective)


def _by_level(
    rows: Sequence[tuple[StepTold, StepObjective]], key: Literal["low", "high"], choose: Any
) -> list[tuple[float, float | None]]:
    ends: dict[float, float] = {}
    for step, row in rows:
        if row["samples"]:
            ends[step["level"]] = choose(ends.get(step["level"], row[key]), row[key])
    return list(ends.items())


def _throughput(result: Plan) -> dict[str, Any] | None:
    """Throughput over users, with the fitted models and their intervals."""
    steps = [step for step in _levels_held(result) if step["verdict"] != "invalid" and step["tasks"]]
    if not steps:
        return None
    plot = _Plot("Throughput and models", result["unit"], ["tasks/s"])
    plot.add("measured", "--ink", [(step["level"], step["throughput"]) for step in steps], points=True)
    for model, colour in zip(result["models"], ("--c0", "--c1"), strict=False):
        plot.add(model["name"], colour, [(users, value) for users, value, _, _ in model["curve"]])
        low = plot.add("from", colour, [(users, low) for users, _, low, _ in model["curve"]], width=0.3)
        high = plot.add("to", colour, [(users, high) for users, _, _, high in model["curve"]], width=0.3)
        plot.band(low, high, colour)
    return plot.as_json()


def _latency(result: Plan) -> dict[str, Any] | None:
    steps = [step for step in _levels_held(result) if step["verdict"] != "invalid" and step["tasks"]]
    if not steps:
        return None
    plot = _Plot("Latency", result["unit"], ["seconds"])
    for key, label, colour in _TIMES:
        for quantile, dash in _DRAWN:
            plot.add(f"{label} {quantile}", colour, _means(steps, key, quantile), dash=dash)
    levels = [step["level"] for step in steps]
    for objective in result["answer"]["objectives"]:
        if objective["limit_s"] is not None:
            ends = [(min(levels), objective["limit_s"]), (max(levels), objective["limit_s"])]
            plot.add(objective["objective"], "--c1", ends, dash=True)
    return plot.as_json()


def _means(steps: Sequence[StepTold], key: _Time, quantile: _Quantile) -> list[tuple[float, float | None]]:
    by_level: dict[float, list[float]] = {}
    for step in steps:
        value = step[key][quantile]
        if value is not None:
            by_level.setdefault(step["level"], []).append(value)
    return [(level, sum(values) / len(values)) for level, values in by_level.items()]


def _over_time(result: Plan) -> dict[str, Any] | None:
    """The whole run: what was held when, and how long tasks took, the recovery after a failed step included."""
    columns = result["timeline"]
    if not columns["t"]:
        return None
    plot = _Plot("The search over time, with recoveries", "clock", ["seconds", result["unit"]])
    times = columns["t"]
    plot.add("task p95", "--c2", zip(times, columns["task_p95"], strict=True))
    plot.add("first event p95", "--c0", zip(times, columns["ttfe_p95"], strict=True))
    plot.add("held", "--dim", zip(times, columns["level"], strict=True), axis=1, dash=True)
    for verdict, colour in VERDICT_COLOURS.items():
        ended = [(step["ended_s"], step["level"]) for step in result["steps"] if step["verdict"] == verdict]
        if ended:
            plot.add(verdict, colour, ended, axis=1, points=True)
    return plot.as_json()
