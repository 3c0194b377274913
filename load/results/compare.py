"""Tells what changed between two load runs of one workload beyond what chance makes of them.

A ratio of quantiles has an interval because each quantile has one, from its order statistics; the two are joined on the
logarithmic scale. Only a ratio whose whole interval lies beyond the noise floor counts: two runs against an unchanged
server differ by more than their samples tell, since the machine under it is not the same twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeGuard

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_json
from sendpoll.load.measure.statistics import CONFIDENCE, z_of
from sendpoll.load.results.result_json import ComparisonTold, LoadResult, RatioTold

Result = Mapping[str, Any]

COMPARED: Final = tuple((name, column) for name in ("ttfe", "task", "poll") for column in ("p50", "p95"))
RATIO_CONFIDENCE: Final = 0.999
"""Of each interval: with seven ratios, fewer than one comparison in a hundred shows something where nothing is."""
NOISE_FLOOR: Final = 0.1
"""The least change that counts. A server that drifts by 15 % within tens of seconds differs by less from run to run."""
_WIDEST: Final = 40.0
"""Of half an interval, as a logarithm: what reaches further is open, and no number that a report can hold."""
_MEASURABLE: Final = (1e-9, 1e12)
"""Values that a run can have measured, in seconds or tasks a second."""
_USABLE: Final = frozenset({"pass", "fail", "inconclusive"})


class CompareError(ValueError):
    """The runs cannot be compared; the message says why and what to do."""


class Change(StrEnum):
    """What a ratio shows."""

    WORSE = "worse"
    BETTER = "better"
    NONE = "no difference beyond noise"
    UNKNOWN = "too few samples"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A number of the new run over that of the old one, with its interval; None where that is open."""

    name: str
    """What it is, such as `ttfe p95`."""
    unit: str
    old: float | None
    new: float | None
    ratio: float | None
    low: float | None
    high: float | None
    change: Change

    def as_json(self) -> RatioTold:
        """The ratio as reports write it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "old": self.old,
            "new": self.new,
            "ratio": self.ratio,
            "low": self.low,
            "high": self.high,
            "change": str(self.change),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """All ratios of two runs."""

    baseline: str
    """When the old run began, and against which server."""
    noise_floor: float
    ratios: tuple[Ratio, ...]

    @property
    def worse(self) -> tuple[Ratio, ...]:
        """What got worse beyond noise."""
        return tuple(ratio for ratio in self.ratios if ratio.change is Change.WORSE)

    @property
    def sentence(self) -> str:
        """The comparison in a sentence."""
        better = [ratio for ratio in self.ratios if ratio.change is Change.BETTER]
        told = [
            f"{word}: {', '.join(f'{ratio.name} ({ratio.ratio:.2f}x)' for ratio in ratios)}"
            for word, ratios in (("worse", self.worse), ("better", better))
            if ratios
        ]
        return "; ".join(told) or f"no difference beyond noise ({self.noise_floor:.0%} and the intervals)"

    def as_json(self) -> ComparisonTold:
        """The comparison as `result.json` holds it, under `comparison`."""
        return {
            "baseline": self.baseline,
            "noise_floor": self.noise_floor,
            "sentence": self.sentence,
            "ratios": [ratio.as_json() for ratio in self.ratios],
        }


def read_result(path: Path) -> LoadResult:
    """Read a `result.json`. Raises CompareError where it is none that this version understands."""
    try:
        result: LoadResult = load_json(path, "files/load-result.json")
    except FileError as error:
        raise CompareError(f"{error}; give the result.json that this version of sendpoll load wrote") from error
    return result


def compare(old: Result, new: Result, noise_floor: float = NOISE_FLOOR) -> Comparison:
    """Compare two results.

    `noise_floor` is the least change that counts, as a share. Raises CompareError for unlike workloads and for a run
    that says nothing about its server.
    """
    refuse_unlike(old, new)
    if new["verdict"] not in _USABLE:
        raise CompareError(f"the new run is {new['verdict']}: {new['sentence']}; repeat it")
    ratios = tuple(_ratios(old, new, noise_floor))
    return Comparison(f"{old['started_at']}, {old['target']['base_url']}", noise_floor, ratios)


def refuse_unlike(old: Result, new: Result) -> None:
    """Raise CompareError where the old run is of another workload, or says nothing about its server.

    The new run may be yet to begin: its `workload_digest` and `scenario` are enough.
    """
    if old["workload_digest"] != new["workload_digest"]:
        raise CompareError(
            f"the runs had unlike workloads, so their numbers say nothing about the server: {_unlike(old, new)}; "
            "repeat one of them with the scenario of the other"
        )
    if old["verdict"] not in _USABLE:
        raise CompareError(f"the old run is {old['verdict']}: {old['sentence']}; repeat it")


def _unlike(old: Result, new: Result) -> str:
    """Which keys of the two scenarios differ."""
    one, other = old["scenario"], new["scenario"]
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    told = [key for key in keys if key not in {"name", "description", "slos"}]
    return f"they differ in {', '.join(told)}" if told else "they differ"


def _ratios(old: Result, new: Result, floor: float) -> Iterator[Ratio]:
    for name, column in COMPARED:
        one, other = (result["metrics"][name]["quantiles"][column] for result in (old, new))
        yield _ratio(f"{name} {column}", "s", one, other, floor)
    yield _ratio("goodput", "", old["goodput"], new["goodput"], floor)


def _ratio(name: str, unit: str, old: Result | None, new: Result | None, floor: float) -> Ratio:
    if not _is_measured(old) or not _is_measured(new):
        before, now = (estimate["value"] if estimate else None for estimate in (old, new))
        return Ratio(name, unit, before, now, None, None, None, Change.UNKNOWN)
    ratio = new["value"] / old["value"]
    below = _joined(_reach(new, "low"), _reach(old, "high"))
    above = _joined(_reach(new, "high"), _reach(old, "low"))
    low = None if below is None else ratio * math.exp(-below)
    high = None if above is None else ratio * math.exp(above)
    return Ratio(name, unit, old["value"], new["value"], ratio, low, high, _change(unit, low, high, floor))


def _is_measured(estimate: Result | None) -> TypeGuard[Result]:
    return bool(estimate and estimate["value"] and _MEASURABLE[0] <= estimate["value"] <= _MEASURABLE[1])


def _reach(estimate: Result, end: str) -> float | None:
    """How far an end of the interval lies from the value, as a logarithm, at the confidence of a ratio."""
    bound = estimate[end]
    if not bound:
        return None
    return abs(math.log(bound / estimate["value"])) * z_of(RATIO_CONFIDENCE) / z_of(CONFIDENCE)


def _joined(one: float | None, other: float | None) -> float | None:
    if one is None or other is None or math.hypot(one, other) > _WIDEST:
        return None
    return math.hypot(one, other)


def _change(unit: str, low: float | None, high: float | None, floor: float) -> Change:
    """Times are worse where they grew, rates where they shrank."""
    grew, shrank = (Change.WORSE, Change.BETTER) if unit == "s" else (Change.BETTER, Change.WORSE)
    if low is not None and low > 1 + floor:
        return grew
    if high is not None and high < 1 / (1 + floor):
        return shrank
    return Change.UNKNOWN if low is None or high is None else Change.NONE
