"""Decides each objective of a run: pass, fail or inconclusive, and the sentence that says why.

The counts are decided by the rule that plans have too; what a gate adds is that a metric without samples fails, since a
gate that nothing was measured for protects nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sendpoll.core.text.units import short_seconds
from sendpoll.load.measure.drift import Drift, TimedValues, drift_of, mean_points, quantile_points
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.objective_rule import Decision, Evidence, evidence, samples_needed
from sendpoll.load.measure.outage import Extent, Outage, outage_of
from sendpoll.load.measure.slo import Objective
from sendpoll.load.measure.statistics import CONFIDENCE, design_effect
from sendpoll.load.measure.window import Window
from sendpoll.load.results.spans import Counts, decision_of, span_sentence, spans_of, worst_of


@dataclass(frozen=True, slots=True)
class Gate:
    """An objective, decided."""

    objective: Objective
    verdict: Decision
    evidence: Evidence
    sentence: str
    drift: Drift | None = None
    """Of an objective on drift; its evidence counts spans, and none of them is good or bad."""

    def as_json(self) -> dict[str, Any]:
        """The gate as reports write it."""
        counted, drift = self.evidence, self.drift
        slope = {} if drift is None else {"slope": {"per_hour": drift.per_hour, "low": drift.low, "high": drift.high}}
        return {
            **slope,
            "objective": self.objective.text,
            "metric": self.objective.metric,
            "tier": self.objective.tier,
            "verdict": str(self.verdict),
            "good": counted.good,
            "samples": counted.samples,
            "effective_samples": round(counted.effective, 1),
            "needed_share": self.objective.share,
            "share": counted.share,
            "low": counted.low,
            "high": counted.high,
            "sentence": self.sentence,
        }


def decide(objective: Objective, good: int, samples: int, effect: float = 1.0, confidence: float = CONFIDENCE) -> Gate:
    """Decide an objective on counts; `effect` is the design effect of the samples."""
    counted = evidence(objective.share, good, samples, effect, confidence)
    verdict = counted.decision if samples else Decision.FAIL
    sentence = _sentence(objective, counted)
    if verdict is Decision.INCONCLUSIVE:
        sentence = f"{sentence}; {_more(objective, counted)}"
    return Gate(objective, verdict, counted, sentence)


def gates_of(metrics: Metrics, confidence: float = CONFIDENCE, memory: TimedValues = ()) -> tuple[Gate, ...]:
    """Every objective of a run, decided at a confidence, in the order in which they were given.

    `memory` is what the server had over time. Where the server was out of service, no allowance for samples
    that hang together keeps an objective from failing; where it was so to the end, every objective on tasks fails.
    """
    windows = metrics.series
    outage = outage_of(windows)
    return tuple(
        _violations(objective, metrics)
        if objective.metric == "violations"
        else _drift(objective, objective.slope, windows, memory)
        if objective.slope is not None
        else _decided(objective, [_counts(objective, window, index) for window in windows], windows, outage, confidence)
        for index, objective in enumerate(metrics.level.objectives)
    )


def _decided(
    objective: Objective,
    counts: Sequence[Counts],
    windows: Sequence[Window],
    outage: Outage | None,
    confidence: float,
) -> Gate:
    good, samples = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    if objective.every_s is not None and samples:
        gate = _in_every(objective, objective.every_s, counts, windows)
    else:
        gate = decide(objective, good, samples, design_effect(counts), confidence)
    if outage is None or not samples or not objective.per_task:
        return gate
    if outage.extent is Extent.TO_THE_END:  # of the tasks that would have come next, none would have been good
        gate = replace(decide(objective, good, samples), verdict=Decision.FAIL)
    else:
        plain = decide(objective, good, samples, confidence=confidence)
        gate = plain if plain.verdict is Decision.FAIL else gate
    return replace(gate, sentence=f"{gate.sentence}; {outage.sentence}")


def _in_every(objective: Objective, every_s: float, counts: Sequence[Counts], windows: Sequence[Window]) -> Gate:
    """An objective that must hold in each span: told of by its worst."""
    began = [float(window.index) for window in windows]
    spans = spans_of(objective.share, every_s, list(zip(began, counts, strict=True)))
    worst = worst_of(spans)
    sentence = f"{span_sentence(spans, every_s, worst)}, {_sentence(objective, worst.evidence)}"
    verdict = decision_of(spans)
    if verdict is Decision.INCONCLUSIVE:
        sentence = f"{sentence}; {_more(objective, worst.evidence)}"
    return Gate(objective, verdict, worst.evidence, sentence)


def _counts(objective: Objective, window: Window, index: int) -> tuple[int, int]:
    """Good samples and all samples of an objective in a window."""
    if objective.per_task:
        return window.good[index], window.judged[index]
    polls = window.polls
    if objective.metric == "empty_polls":
        return polls - window.counts["empty_polls"], polls
    limit = round((objective.limit_s or 0) * 1e6)
    return window.histograms["poll"].count_to(limit), polls


def _drift(objective: Objective, most: float, windows: Sequence[Window], memory: TimedValues) -> Gate:
    """An objective on how fast something grows: decided by the whole interval of its slope."""
    is_memory = objective.metric == "memory"
    points = mean_points(memory) if is_memory else quantile_points(windows, objective.metric, objective.share)
    found = drift_of(points)
    counted = evidence(objective.share, 0, 0)
    if is_memory and not memory:
        return Gate(objective, Decision.FAIL, counted, "no memory was watched: give --observe-pid, or --observe")
    if found is None:
        sentence = f"{len(points)} spans of the run have enough samples, too few to see a drift: run longer"
        return Gate(objective, Decision.INCONCLUSIVE, counted, sentence)
    verdict = found.decision(most)
    counted = replace(counted, samples=found.spans, decision=verdict)
    per_hour, low, high = (f"{value * 100:+.3g}%" for value in (found.per_hour, found.low, found.high))
    sentence = f"it drifts by {per_hour} an hour (99% interval {low} to {high}), at most {most * 100:.3g}% needed"
    if verdict is Decision.INCONCLUSIVE:
        sentence += "; chance may explain it either way: run longer"
    return Gate(objective, verdict, counted, sentence, found)


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
    verdict = Decision.PASS if seen and not broken else Decision.FAIL
    good = max(0, seen - metrics.total.counts["violated_tasks"])
    return Gate(objective, verdict, evidence(objective.share, good, seen), sentence)


def _sentence(objective: Objective, counted: Evidence) -> str:
    good, samples = counted.good, counted.samples
    noun = "task" if objective.per_task else "poll"
    if not samples:
        return f"no {noun} was measured, so nothing shows that it holds"
    nouns = noun if samples == 1 else f"{noun}s"
    inverse = objective.kind == "most"
    low, high = (1 - counted.high, 1 - counted.low) if inverse else (counted.low, counted.high)
    share = (samples - good if inverse else good) / samples
    what = {
        "errors": "ended in an error",
        "refused": "were refused",
        "empty_polls": "brought nothing",
        "attainment": "were good",
    }.get(objective.metric) or f"were within {short_seconds(objective.limit_s or 0)}"
    needed = f"at most {_percent(1 - objective.share)}" if inverse else f"at least {_percent(objective.share)}"
    return (
        f"{_percent(share)} of {samples:,} {nouns} {what} (95% interval {_percent(low)} to {_percent(high)}), "
        f"{needed} needed"
    )


def _more(objective: Objective, counted: Evidence) -> str:
    needed = samples_needed(objective.share)
    if counted.effective < needed:
        hint = f" of tasks that do not hang together; these {counted.samples} tell as much as {counted.effective:.0f}"
        return f"at least {needed} samples are needed even if all are good{hint if counted.effect > 1.05 else ''}"
    return "chance may explain it either way: run longer"


def _percent(share: float) -> str:
    """A share with as many digits as tell it from all and from nothing."""
    percent = share * 100
    if percent in {0.0, 100.0}:
        return f"{percent:.0f}%"
    return f"{percent:.3g}%" if percent < 99.5 else f"{percent:.6g}%" if percent > 99.99 else f"{percent:.2f}%"
