"""The newest run of each workload in the forms of services that keep histories themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sendpoll.load.trend.trend_json import Trend


def github_benchmark(trend: Trend, better: str) -> list[dict[str, Any]]:
    """What github-action-benchmark reads as customSmallerIsBetter or customBiggerIsBetter: one file a direction."""
    rows = []
    for name, unit, direction, (value, low, high) in _newest(trend):
        if direction == better:
            row: dict[str, Any] = {"name": name, "unit": unit or "1", "value": value}
            if low is not None and high is not None:
                row["range"] = f"{low:.6g} to {high:.6g}"
            rows.append(row)
    return rows


def bencher_metrics(trend: Trend) -> dict[str, Any]:
    """Bencher's Metric Format: benchmark, measure, value with its bounds."""
    told: dict[str, Any] = {}
    for name, unit, _, (value, low, high) in _newest(trend):
        workload, _, measure = name.partition(": ")
        metric = {"value": value}
        metric |= {} if low is None else {"lower_value": low}
        metric |= {} if high is None else {"upper_value": high}
        told.setdefault(workload, {})[f"{measure} ({unit})" if unit else measure] = metric
    return told


def _newest(trend: Trend) -> Iterator[tuple[str, str, str, tuple[float, float | None, float | None]]]:
    for series in trend["series"]:
        for measure in series["measures"]:
            value = measure["values"][-1]
            if value is not None:
                name = f"{series['kind']} {series['scenario']}: {measure['name']}"
                yield name, measure["unit"], measure["better"], (value, measure["lows"][-1], measure["highs"][-1])
