"""What was watched beside the load, as pages draw it and texts tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sendpoll.load.observe.observed import FigureTold, ObservedTold

_TITLES: Final[Mapping[str, str]] = {
    "cpu": "CPU",
    "thread": "CPU, busiest thread",
    "memory": "Memory",
    "files": "Open files",
}
_COLOURS: Final = {"cpu": "--c0", "thread": "--c0", "memory": "--c2", "files": "--c1", "queue": "--c3"}
_UNITS: Final[Mapping[str, str]] = {"s": "seconds", "bytes": "MB", "": "number"}
_DRAWN: Final = 18
"""Plots: the resources come first, and all figures are in the file."""


def observed_plots(told: ObservedTold | None, load: str) -> list[dict[str, Any]]:
    """A plot a figure, over the time of the run, with what was held beside it; `load` is what that counts."""
    if told is None:
        return []
    return [_plot(told, figure, load) for figure in told["figures"][:_DRAWN]]


def observed_lines(told: ObservedTold | None) -> list[str]:
    """What gave, besides what the sentence names, and what could not be read; a sentence each."""
    if told is None:
        return []
    return [*(one["sentence"] for one in told["findings"][1:]), *told["problems"]]


def _plot(told: ObservedTold, figure: FigureTold, load: str) -> dict[str, Any]:
    scale = 1e-6 if figure["unit"] == "bytes" else 1.0
    values = [None if value is None else value * scale for value in figure["values"]]
    colour = _COLOURS.get(figure["resource"], "--c2")
    series = [
        {"label": figure["unit"] or "number", "axis": 0, "colour": colour},
        {"label": load, "axis": 1, "colour": "--dim", "dash": True},
    ]
    columns: list[Any] = [told["t"], values, told["level"]]
    limit = figure["limit"]
    if limit is not None and limit * scale <= 3 * max((one for one in values if one is not None), default=0.0):
        series.append({"label": "limit", "axis": 0, "colour": "--bad", "dash": True})
        columns.append([limit * scale] * len(values))
    title = _TITLES.get(figure["resource"], figure["name"])
    return {
        "title": f"{title}, {figure['source']}",
        "x": "clock",
        "axes": [_UNITS.get(figure["unit"], figure["unit"]), load],
        "series": series,
        "columns": columns,
    }
