"""Results and plans of many runs, read from files, as series of the same workload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_json

Better = Literal["lower", "higher"]
_NAMES: Final = {"result.json": "files/load-result.json", "plan.json": "files/plan.json"}
_KINDS: Final = {"sendpoll load result": "files/load-result.json", "sendpoll plan": "files/plan.json"}
_QUANTILES: Final = (
    ("ttfe", "p50"),
    ("ttfe", "p95"),
    ("task", "p95"),
    ("stall", "p95"),
    ("submit", "p95"),
    ("poll", "p95"),
)
_USABLE: Final = frozenset({"pass", "fail", "inconclusive"})


class TrendError(ValueError):
    """There is nothing to be followed; the message says what to give."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that is followed."""

    name: str
    unit: str
    better: Better


@dataclass(frozen=True, slots=True)
class RunPoint:
    """What one run says."""

    file: str
    started_at: str
    verdict: str
    values: Mapping[Measure, tuple[float, float | None, float | None]]
    """Each with the ends of its interval."""


@dataclass(slots=True)
class History:
    """Runs of one workload, in the order of time."""

    kind: Literal["load", "plan"]
    scenario: str
    digest: str
    runs: list[RunPoint] = field(default_factory=list)

    @property
    def measures(self) -> list[Measure]:
        """What any of the runs measured, in the order of reports."""
        return list(dict.fromkeys(measure for run in self.runs for measure in run.values))


@dataclass(frozen=True, slots=True)
class Skipped:
    """A run that says nothing, and why."""

    file: str
    reason: str


def read_histories(paths: Iterable[Path]) -> tuple[list[History], list[Skipped]]:
    """Everything that the files, and the folders all the way down, hold. Raises TrendError where that is nothing."""
    found: dict[tuple[str, str], History] = {}
    skipped: list[Skipped] = []
    for path in _files(paths):
        told = _read(path)
        if told["verdict"] not in _USABLE:
            skipped.append(Skipped(str(path), f"it is {told['verdict']}: {told['sentence']}"))
            continue
        kind: Literal["load", "plan"] = "plan" if told["kind"] == "sendpoll plan" else "load"
        key = kind, told["workload_digest"]
        history = found.setdefault(key, History(kind, told["scenario"]["name"], told["workload_digest"]))
        values = _of_plan(told) if kind == "plan" else _of_load(told)
        history.runs.append(RunPoint(str(path), told["started_at"], told["verdict"], values))
    for history in found.values():
        history.runs.sort(key=lambda run: (run.started_at, run.file))
    return list(found.values()), skipped


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        below = [one for name in _NAMES for one in path.rglob(name)] if path.is_dir() else [path]
        if not below:
            raise TrendError(f"{path}: there is no result.json and no plan.json below it")
        files += below
    return sorted(dict.fromkeys(files))


def _read(path: Path) -> Any:
    """A result or a plan. Raises TrendError where the file is neither, or one of another version."""
    try:
        kind = _kind_of(path)
        return load_json(path, _KINDS[kind])
    except FileError as error:
        raise TrendError(f"{error}; give the result.json or plan.json that this version of sendpoll wrote") from error


def _kind_of(path: Path) -> str:
    """By its name, else by what it says of itself."""
    for kind, schema in _KINDS.items():
        if _NAMES.get(path.name) == schema:
            return kind
    head = path.read_text(encoding="utf-8", errors="replace")[:4096] if path.is_file() else ""
    return "sendpoll plan" if '"sendpoll plan"' in head else "sendpoll load result"


def _of_load(told: Any) -> dict[Measure, tuple[float, float | None, float | None]]:
    found: dict[Measure, tuple[float, float | None, float | None]] = {}
    for name, quantile in _QUANTILES:
        estimate = told["metrics"].get(name, {}).get("quantiles", {}).get(quantile)
        if estimate is not None:
            found[Measure(f"{name} {quantile}", "s", "lower")] = _ends(estimate)
    if told["goodput"] is not None:
        found[Measure("good tasks a second", "", "higher")] = _ends(told["goodput"])
    tier = told["tiers"][0]
    if tier["attainment"] is not None:
        found[Measure("attainment", "share", "higher")] = tier["attainment"], tier["low"], tier["high"]
    return found


def _of_plan(told: Any) -> dict[Measure, tuple[float, float | None, float | None]]:
    answer = told["answer"]
    if answer["level"] is None:
        return {}
    return {Measure(told["unit"], "", "higher"): (answer["level"], answer["low"], answer["high"])}


def _ends(estimate: Any) -> tuple[float, float | None, float | None]:
    return estimate["value"], estimate["low"], estimate["high"]
