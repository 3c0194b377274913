"""Service-level objectives: their grammar, and what each says of one task.

A percentile is decided on counts: "ttfe p95 <= 2s" holds where at least 95 % of the tasks had their first event within
2 s. So every objective is a share of good samples among all, and no histogram's error comes into it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from sendpoll.core.text.units import parse_seconds
from sendpoll.load.measure.records import Outcome, Standing, TaskRecord

Kind = Literal["quantile", "most", "least", "none", "slope"]


class SloError(ValueError):
    """An objective that cannot be read; the message names it, what was expected and an example."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How objectives of a metric are written."""

    kind: Kind
    example: str
    per_task: bool = True


METRICS: Final[Mapping[str, _Form]] = {
    "ttfe": _Form("quantile", "ttfe p95 <= 2s"),
    "task": _Form("quantile", "task p95 <= 30s"),
    "stall": _Form("quantile", "stall p95 <= 5s"),
    "submit": _Form("quantile", "submit p95 <= 1s"),
    "poll": _Form("quantile", "poll p99 <= 200ms", per_task=False),
    "errors": _Form("most", "errors <= 1%"),
    "refused": _Form("most", "refused <= 1%"),
    "attainment": _Form("least", "attainment >= 95%"),
    "empty_polls": _Form("most", "empty_polls <= 90%", per_task=False),
    "memory": _Form("slope", "memory slope <= 5%/h", per_task=False),
    "violations": _Form("none", "violations = 0", per_task=False),
}
"""Every metric that an objective may name."""

_SPLIT: Final = re.compile(
    r"(?:(?P<tier>[A-Za-z][\w-]*)\s*:\s*)?(?P<metric>[A-Za-z_]+)\s*(?P<statistic>p[0-9.]+)?\s*(?P<slope>slope)?\s*"
    r"(?P<relation><=|>=|=)\s*(?P<number>[0-9]+(?:\.[0-9]+)?)\s*(?P<unit>[A-Za-zµ%/]*)"
    r"(?:\s+in\s+every\s+(?P<every>\S+(?:\s\S+)?))?"
)


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective, as a share of good samples that must be reached."""

    metric: str
    share: float
    """The share of samples that must be good: 0.95 of "p95 <= 2s", 0.99 of "errors <= 1%"."""
    limit_s: float | None = None
    """What a good sample must not exceed, in seconds; None where the metric is itself a share."""
    tier: str = ""
    """The tier that it belongs to; empty for the objectives of every tier."""
    text: str = ""
    """As it was written, spaces tidied."""
    slope: float | None = None
    """The share an hour by which it may grow at most; None: it is no objective on drift."""
    every_s: float | None = None
    """How long each span is in which it must hold, in seconds; None: over the whole run."""

    @property
    def per_task(self) -> bool:
        """Whether each task is a sample; else each poll is, or the whole run."""
        return self.slope is None and METRICS[self.metric].per_task

    @property
    def kind(self) -> Kind:
        """Which of the grammar's forms it has."""
        return "slope" if self.slope is not None else METRICS[self.metric].kind

    @property
    def label(self) -> str:
        """What its quantile is called, such as `ttfe p95`; else the metric."""
        return f"{self.metric} p{self.share * 100:.10g}" if self.kind == "quantile" else self.metric


NO_VIOLATIONS: Final = Objective("violations", 1.0, text="violations = 0")
"""Always on: throughput with a broken requirement is no throughput."""


def parse_objective(text: str) -> Objective:
    """Read one objective.

    Raises SloError that names the text, what was expected and an example.
    """
    tidy = " ".join(text.split())
    match = _SPLIT.fullmatch(tidy)
    if not match:
        raise SloError(
            f"{text!r} is no objective; expected METRIC [pNN] <= LIMIT, perhaps after 'TIER:', "
            f"such as 'ttfe p95 <= 2s' or 'gold: ttfe p95 <= 1s'"
        )
    metric = match["metric"]
    form = METRICS.get(metric)
    if form is None:
        raise SloError(f"{text!r}: no metric is called {metric!r}; expected one of {', '.join(METRICS)}")
    if match["slope"] or form.kind == "slope":
        return _slope(match, text, tidy)
    readers = {"quantile": _quantile, "most": _share_at_most, "least": _share_at_least, "none": _none}
    share, limit = readers[form.kind](match, text, form.example)
    return Objective(metric, share, limit, match["tier"] or "", tidy, every_s=_every(match, text))


def _slope(match: re.Match[str], text: str, tidy: str) -> Objective:
    metric = match["metric"]
    form = METRICS[metric]
    example = "memory slope <= 5%/h" if metric == "memory" else f"{metric} p95 slope <= 10%/h"
    sound = match["slope"] and match["relation"] == "<=" and match["unit"] == "%/h" and not match["every"]
    if not sound or form.kind not in {"quantile", "slope"} or bool(match["statistic"]) == (metric == "memory"):
        raise SloError(f"{text!r}: a drift is a share an hour of a time's percentile or of memory, such as {example!r}")
    percent = _number(match["statistic"][1:], text, example) if match["statistic"] else 50.0
    if not 0 < percent < 100:
        raise SloError(f"{text!r}: a percentile lies between p0 and p100, both excluded, such as {example!r}")
    return Objective(metric, percent / 100, None, match["tier"] or "", tidy, float(match["number"]) / 100)


def _every(match: re.Match[str], text: str) -> float | None:
    if match["every"] is None:
        return None
    try:
        seconds = parse_seconds(match["every"])
    except ValueError:
        raise SloError(f"{text!r}: expected a time behind 'in every', such as 'ttfe p95 <= 2s in every 1min'") from None
    if seconds < 1 or METRICS[match["metric"]].kind == "none":
        raise SloError(f"{text!r}: a span is 1s or longer, and violations are counted over the whole run")
    return seconds


def _quantile(match: re.Match[str], text: str, example: str) -> tuple[float, float]:
    if match["statistic"] is None or match["relation"] != "<=":
        raise SloError(f"{text!r}: expected a percentile and '<=', such as {example!r}")
    percent = _number(match["statistic"][1:], text, example)
    if not 0 < percent < 100:
        raise SloError(f"{text!r}: a percentile lies between p0 and p100, both excluded, such as {example!r}")
    try:
        return percent / 100, parse_seconds(match["number"] + match["unit"])
    except ValueError:
        raise SloError(f"{text!r}: expected a time with its unit (us, ms, s or min), such as {example!r}") from None


def _share_at_most(match: re.Match[str], text: str, example: str) -> tuple[float, None]:
    return 1 - _percentage(match, "<=", text, example), None


def _share_at_least(match: re.Match[str], text: str, example: str) -> tuple[float, None]:
    return _percentage(match, ">=", text, example), None


def _none(match: re.Match[str], text: str, example: str) -> tuple[float, None]:
    if match["statistic"] or match["relation"] != "=" or float(match["number"]) or match["unit"]:
        raise SloError(f"{text!r}: a broken requirement is never within limits; write {example!r} or leave it out")
    return 1.0, None


def _percentage(match: re.Match[str], relation: str, text: str, example: str) -> float:
    if match["statistic"] or match["relation"] != relation or match["unit"] != "%":
        raise SloError(f"{text!r}: expected '{relation}' and a percentage, such as {example!r}")
    share = float(match["number"]) / 100
    if share > 1:
        raise SloError(f"{text!r}: a share lies between 0% and 100%, such as {example!r}")
    return share


def _number(digits: str, text: str, example: str) -> float:
    try:
        return float(digits)
    except ValueError:
        raise SloError(f"{text!r}: p{digits} is no percentile, such as {example!r} has one") from None


class ServiceLevel:
    """All objectives of a run, and what a task is under them. `violations = 0` is always among them."""

    def __init__(self, objectives: Iterable[Objective] = ()) -> None:
        distinct = dict.fromkeys(objective for objective in objectives if objective.metric != "violations")
        self.objectives: tuple[Objective, ...] = (*distinct, NO_VIOLATIONS)
        named = dict.fromkeys(objective.tier for objective in distinct if objective.tier)
        self.tiers: tuple[str, ...] = ("", *named)
        """The unnamed tier, which the ledger is kept for, and the named ones."""
        self._limits = {tier: self._limits_of(tier) for tier in self.tiers}

    @classmethod
    def parse(cls, texts: Iterable[str]) -> ServiceLevel:
        """Read objectives as they are written in scenarios and options. Raises SloError."""
        return cls(parse_objective(text) for text in texts)

    def _limits_of(self, tier: str) -> tuple[Objective, ...]:
        """The limits on a single task: the tier's own, and those of every tier on what it says nothing of."""
        limits = [objective for objective in self.objectives if objective.kind == "quantile" and objective.per_task]
        own = {objective.metric for objective in limits if objective.tier == tier}
        return tuple(
            objective
            for objective in limits
            if objective.tier == tier or (not objective.tier and objective.metric not in own)
        )

    def standing(self, record: TaskRecord, tier: str = "") -> Standing:
        """Where the ledger of a tier books a task: good only if it finished within every limit and broke nothing."""
        if record.outcome is not Outcome.DROPPED and record.violations:
            return Standing.FAILED
        if record.outcome is not Outcome.FINISHED:
            return _UNFINISHED[record.outcome]
        within = all(within_limit(limit, record) for limit in self._limits[tier])
        return Standing.GOOD if within else Standing.SLOW

    def judge(self, record: TaskRecord) -> tuple[bool | None, ...]:
        """Whether the task is a good sample of each objective, in their order; None where it is no sample of it.

        A task that did not finish is a bad sample of every limit: what it would have taken is more than anybody saw.
        """
        return tuple(self._sample(objective, record) if objective.per_task else None for objective in self.objectives)

    def _sample(self, objective: Objective, record: TaskRecord) -> bool | None:
        if objective.metric == "errors":
            return erred(record) is False
        if objective.metric == "refused":
            return record.outcome is not Outcome.REFUSED
        if not record.is_sample:
            return None
        if objective.metric == "attainment":
            return self.standing(record, objective.tier) is Standing.GOOD
        if objective.metric == "submit":
            return within_limit(objective, record)
        return not erred(record) and within_limit(objective, record)


_UNFINISHED: Final = {
    Outcome.FAILED: Standing.FAILED,
    Outcome.TIMED_OUT: Standing.TIMED_OUT,
    Outcome.ABANDONED: Standing.ABANDONED,
    Outcome.DROPPED: Standing.DROPPED,
    Outcome.REFUSED: Standing.REFUSED,
}


def erred(record: TaskRecord) -> bool:
    """Whether a task ended otherwise than by finishing soundly, or by its user leaving as it was to.

    A message that was clearly refused because another of its conversation still ran has not failed either.
    """
    if record.violations:
        return True
    left = record.outcome is Outcome.ABANDONED and not record.is_sample
    return record.outcome is not Outcome.FINISHED and not left


def duration(metric: str, record: TaskRecord) -> float | None:
    """What a task took by a metric, in seconds; None where it was not measured to the end.

    Raises KeyError for a metric that is no duration of a task.
    """
    values = {
        "ttfe": record.ttfe_s,
        "task": record.task_s,
        "stall": record.stall_s,
        "submit": record.submit_s,
    }
    return values[metric]


def within_limit(objective: Objective, record: TaskRecord) -> bool:
    """Whether what a task took is within an objective's limit; no measurement is not."""
    taken = duration(objective.metric, record)
    return taken is not None and objective.limit_s is not None and taken <= objective.limit_s
