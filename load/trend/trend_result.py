"""`trend.json`: each number of many runs, where it changed, and whether one got worse of late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sendpoll.core.text.units import counted
from sendpoll.load.results.load_result import version_of
from sendpoll.load.results.verdict import WORDS, ExitCode
from sendpoll.load.trend.change_points import ENOUGH_RUNS, change_points
from sendpoll.load.trend.history import History, Measure, Skipped
from sendpoll.load.trend.trend_json import ChangeTold, Trend, TrendMeasure, TrendSeries

LEAST_CHANGE: Final = 0.05
RECENT: Final = 20


def trend_of(
    histories: Sequence[History],
    skipped: Sequence[Skipped],
    *,
    recent: int = RECENT,
    least_change: float = LEAST_CHANGE,
) -> tuple[Trend, ExitCode]:
    """The content of `trend.json`, and what the process ends with.

    A number regressed where its last change was for the worse and began within the `recent` last runs; what is older
    has been lived with.
    """
    series = [_series(history, recent, least_change) for history in histories]
    regressed = ((one, measure) for one in series for measure in one["measures"] if measure["regressed"])
    worse = [f"{one['scenario']}: {measure['name']}" for one, measure in regressed]
    if worse:
        code, sentence = ExitCode.SLO_FAILED, f"worse of late: {', '.join(worse)}"
    elif not any(one["enough"] for one in series):
        code, sentence = ExitCode.INCONCLUSIVE, f"too few runs of one workload: {ENOUGH_RUNS} are needed"
    else:
        runs = sum(len(one["runs"]) for one in series)
        code, sentence = ExitCode.PASS, f"nothing got worse of late, in {counted(runs, 'run')}"
    return {
        "kind": "sendpoll trend",
        "schema_version": 1,
        "tool": {"name": "sendpoll", "version": version_of("sendpoll")},
        "verdict": WORDS[code],
        "exit_code": int(code),
        "sentence": sentence,
        "recent": recent,
        "least_change": least_change,
        "series": series,
        "skipped": [{"file": one.file, "reason": one.reason} for one in skipped],
    }, code


def _series(history: History, recent: int, least_change: float) -> TrendSeries:
    return {
        "kind": history.kind,
        "scenario": history.scenario,
        "workload_digest": history.digest,
        "enough": len(history.runs) >= ENOUGH_RUNS,
        "runs": [{"file": run.file, "started_at": run.started_at, "verdict": run.verdict} for run in history.runs],
        "measures": [_measure(history, measure, recent, least_change) for measure in history.measures],
    }


def _measure(history: History, measure: Measure, recent: int, least_change: float) -> TrendMeasure:
    points = [run.values.get(measure) for run in history.runs]
    known = [(place, point[0]) for place, point in enumerate(points) if point is not None]
    changes: list[ChangeTold] = []
    for found in change_points([value for _, value in known], least_change):
        place = known[found.place][0]
        changes.append(
            {
                "run": place,
                "started_at": history.runs[place].started_at,
                "before": found.before,
                "after": found.after,
                "ratio": found.ratio,
                "p_value": found.rarity,
                "worse": (found.after > found.before) == (measure.better == "lower"),
            }
        )
    late = bool(changes) and changes[-1]["worse"] and changes[-1]["run"] >= len(history.runs) - recent
    return {
        "name": measure.name,
        "unit": measure.unit,
        "better": measure.better,
        "values": [None if point is None else point[0] for point in points],
        "lows": [None if point is None else point[1] for point in points],
        "highs": [None if point is None else point[2] for point in points],
        "changes": changes,
        "regressed": late,
    }
