"""The course of a run: a table of numbers over time, as plots draw it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sendpoll.load.measure.histogram import Histogram
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.window import Window

POINTS: Final = 150
"""About as many as a plot shows apart; each point joins as many windows as that takes."""


def course(metrics: Metrics) -> dict[str, Any]:
    """Columns of equal length, one value a point, None where nothing was measured; `t` is the middle of the point.

    Times are seconds, rates a second, shares from 0 to 1.
    """
    windows = metrics.series
    points = [_joined(group) for group in _groups(windows)]
    rows = [_row(point) for point in points]
    columns = {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
    return {"seconds_per_point": max((point.seconds for point in points), default=0), "columns": columns}


def dense(windows: Sequence[Window]) -> list[Window | None]:
    """The windows in order, with None for each span that no generator closed."""
    if not windows:
        return []
    width = windows[0].seconds
    by_place = {window.index // width: window for window in windows}
    return [by_place.get(place) for place in range(max(by_place) + 1)]


def _groups(windows: Sequence[Window]) -> list[list[Window]]:
    if not windows:
        return []
    width = windows[0].seconds
    last = max(window.index for window in windows) // width + 1
    size = -(-last // POINTS)
    groups: dict[int, list[Window]] = {}
    for window in windows:
        groups.setdefault(window.index // width // size, []).append(window)
    return [groups[place] for place in sorted(groups)]


def _joined(windows: Sequence[Window]) -> Window:
    first = windows[0]
    joined = Window(first.index, sum(window.seconds for window in windows), len(first.good), len(first.good_by_tier))
    for window in windows:
        joined.add(window)
        joined.users += window.users / len(windows)
    return joined


def _row(point: Window) -> dict[str, float | None]:
    histograms, seconds, polls = point.histograms, point.seconds, point.polls
    ledger = point.ledger
    return {
        "t": point.index + seconds / 2,
        "users": round(point.users, 2),
        "started": point.counts["started"] / seconds,
        "goodput": ledger.good / seconds,
        "bad": (ledger.ended - ledger.good - ledger.abandoned + ledger.dropped) / seconds,
        "ttfe_p50": _seconds(histograms["ttfe"], 0.5),
        "ttfe_p95": _seconds(histograms["ttfe"], 0.95),
        "task_p50": _seconds(histograms["task"], 0.5),
        "task_p95": _seconds(histograms["task"], 0.95),
        "poll_p50": _seconds(histograms["poll"], 0.5),
        "poll_p95": _seconds(histograms["poll"], 0.95),
        "poll_p99": _seconds(histograms["poll"], 0.99),
        "polls": polls / seconds,
        "empty_share": point.counts["empty_polls"] / polls if polls else None,
        "errors": (point.errors.total() + point.refusals.total()) / seconds,
        "violations": point.violations.total(),
        "lag_p99": _seconds(histograms["lag"], 0.99),
        "slip_p99": _seconds(histograms["slip"], 0.99),
    }


def _seconds(histogram: Histogram, share: float) -> float | None:
    return round(histogram.quantile(share) / 1e6, 6) if histogram else None
