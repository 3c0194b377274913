"""Decides each objective of a run: pass, fail or inconclusive, and the sentence that says why.

A gate passes only where the whole interval of the share of good samples lies within the objective, and fails only
where it lies without, and in both cases only where the exact binomial agrees. A metric without samples fails: a gate
that nothing was measured for protects nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sendpoll.core.text.durations import short_seconds
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.slo import Objective
from sendpoll.load.measure.statistics import design_effect, reaches, samples_needed, wilson
from sendpoll.load.measure.window import Window


class GateVerdict(StrEnum):
    """What can be said of an objective."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


_VERDICTS: Final = {True: GateVerdict.PASS, False: GateVerdict.FAIL, None: GateVerdict.INCONCLUSIVE}


@dataclass(frozen=True, slots=True)
class Gate:
    """An objective, decided."""

    objective: Objective
    verdict: GateVerdict
    good: int
    samples: int
    low: float
    """The interval of the share of good samples, as independent samples would have it that tell as much."""
    high: float
    effective: float
    """How many independent samples the samples are worth."""
    sentence: str

    @property
    def share(self) -> float | None:
        """The share of samples that were good; None without samples."""
        return self.good / self.samples if self.samples else None

    def as_json(self) -> dict[str, Any]:
        """The gate as reports write it."""
        return {
            "objective": self.objective.text,
            "metric": self.objective.metric,
            "tier": self.objective.tier,
            "verdict": str(self.verdict),
            "good": self.good,
            "samples": self.samples,
            "effective_samples": round(self.effective, 1),
            "needed_share": self.objective.share,
            "share": self.share,
            "low": self.low,
            "high": self.high,
            "sentence": self.sentence,
        }


def decide(objective: Objective, good: int, samples: int, effect: float = 1.0) -> Gate:
    """Decide an objective on counts; `effect` is the design effect of the samples.

    Where all samples must be good, there is nothing to estimate: the run had a bad one or it had none.
    """
    effective = samples / effect
    interval = wilson(good / effect, effective)
    if not samples:
        verdict = GateVerdict.FAIL
    elif objective.share >= 1:
        verdict = GateVerdict.PASS if good == samples else GateVerdict.FAIL
    else:
        verdict = _VERDICTS[reaches(good / effect, effective, objective.share)]
    sentence = _sentence(objective, good, samples, (interval.low, interval.high))
    if verdict is GateVerdict.INCONCLUSIVE:
        sentence = f"{sentence}; {_more(objective, effective, effect)}"
    return Gate(objective, verdict, good, samples, interval.low, interval.high, effective, sentence)


def gates_of(metrics: Metrics) -> tuple[Gate, ...]:
    """Every objective of a run, decided, in the order in which they were given."""
    return tuple(
        _violations(objective, metrics)
        if objective.metric == "violations"
        else _decided(objective, metrics.series, index)
        for index, objective in enumerate(metrics.level.objectives)
    )


def _decided(objective: Objective, windows: Sequence[Window], index: int) -> Gate:
    counts = [_counts(objective, window, index) for window in windows]
    good, samples = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    return decide(objective, good, samples, design_effect(counts))


def _counts(objective: Objective, window: Window, index: int) -> tuple[int, int]:
    """Good samples and all samples of an objective in a window."""
    if objective.per_task:
        return window.good[index], window.judged[index]
    polls = window.polls
    if objective.metric == "empty_polls":
        return polls - window.counts["empty_polls"], polls
    limit = round((objective.limit_s or 0) * 1e6)
    return window.histograms["poll"].count_to(limit), polls


def _violations(objective: Objective, metrics: Metrics) -> Gate:
    broken = metrics.broken
    seen = metrics.ledger.ended
    if broken:
        rows = ", ".join(f"{name} ({count}x)" for name, count in sorted(metrics.total.violations.items()))
        sentence = f"{broken} violation{'s' if broken > 1 else ''}: {rows or 'see the tasks'}"
    elif seen:
        sentence = f"none in {seen:,} task{'s' if seen > 1 else ''} and {metrics.total.polls:,} polls"
    else:
        sentence = "no task ended, so nothing was judged"
    verdict = GateVerdict.PASS if seen and not broken else GateVerdict.FAIL
    good = max(0, seen - metrics.total.counts["violated_tasks"])
    interval = wilson(good, seen)
    return Gate(objective, verdict, good, seen, interval.low, interval.high, float(seen), sentence)


def _sentence(objective: Objective, good: int, samples: int, interval: tuple[float, float]) -> str:
    noun = "task" if objective.per_task else "poll"
    if not samples:
        return f"no {noun} was measured, so nothing shows that it holds"
    nouns = noun if samples == 1 else f"{noun}s"
    inverse = objective.kind == "most"
    low, high = (1 - interval[1], 1 - interval[0]) if inverse else interval
    share = (samples - good if inverse else good) / samples
    what = {
        "errors": "ended in an error",
        "empty_polls": "brought nothing",
        "attainment": "were good",
    }.get(objective.metric) or f"were within {short_seconds(objective.limit_s or 0)}"
    needed = f"at most {_percent(1 - objective.share)}" if inverse else f"at least {_percent(objective.share)}"
    return (
        f"{_percent(share)} of {samples:,} {nouns} {what} (95% interval {_percent(low)} to {_percent(high)}), "
        f"{needed} needed"
    )


def _more(objective: Objective, effective: float, effect: float) -> str:
    needed = samples_needed(objective.share)
    if effective < needed:
        hint = f" of tasks that do not hang together; these {effective * effect:.0f} tell as much as {effective:.0f}"
        return f"at least {needed} samples are needed even if all are good{hint if effect > 1.05 else ''}"
    return "chance may explain it either way: run longer"


def _percent(share: float) -> str:
    """A share with as many digits as tell it from all and from nothing."""
    percent = share * 100
    if percent in {0.0, 100.0}:
        return f"{percent:.0f}%"
    return f"{percent:.3g}%" if percent < 99.5 else f"{percent:.6g}%" if percent > 99.99 else f"{percent:.2f}%"
