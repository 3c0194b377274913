"""An objective that holds `in every 1min`: each span of a run is decided by the rule that decides all others.

One bad span is enough to fail, and many are looked at, so each must fail beyond what chance makes of the worst of so
many; a pass needs every span to pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sendpoll.core.text.units import counted, short_seconds
from sendpoll.load.measure.objective_rule import Decision, Evidence, evidence
from sendpoll.load.measure.statistics import CONFIDENCE

Counts = tuple[int, int]
"""Good samples, and all."""


@dataclass(frozen=True, slots=True)
class Span:
    """A span of a run, as long as an objective says, and what its samples say."""

    began_s: float
    evidence: Evidence


def spans_of(share: float, every_s: float, windows: Sequence[tuple[float, Counts]]) -> list[Span]:
    """The spans that had samples, in order; `windows` are when each began and its counts."""
    by_place: dict[int, list[Counts]] = {}
    for began, counts in windows:
        by_place.setdefault(int(began // every_s), []).append(counts)
    totals = {place: tuple(map(sum, zip(*held, strict=True))) for place, held in sorted(by_place.items())}
    held = {place: (good, samples) for place, (good, samples) in totals.items() if samples}
    confidence = 1 - (1 - CONFIDENCE) / max(1, len(held))
    found = []
    for place, (good, samples) in held.items():
        said, strict = evidence(share, good, samples), evidence(share, good, samples, confidence=confidence)
        found.append(Span(place * every_s, strict if said.decision is Decision.FAIL else said))
    return found


def decision_of(spans: Sequence[Span]) -> Decision:
    """What the spans come to together."""
    said = {span.evidence.decision for span in spans}
    if Decision.FAIL in said:
        return Decision.FAIL
    return Decision.PASS if said == {Decision.PASS} else Decision.INCONCLUSIVE


def worst_of(spans: Sequence[Span]) -> Span:
    """The span that decides: one that failed, else the one that is furthest from passing."""
    failed = [span for span in spans if span.evidence.decision is Decision.FAIL]
    return min(failed or spans, key=lambda span: (span.evidence.decision is Decision.PASS, span.evidence.low))


def span_sentence(spans: Sequence[Span], every_s: float, worst: Span) -> str:
    """Where the worst span lies, and how the others fare; a clause."""
    kept = sum(span.evidence.decision is Decision.PASS for span in spans)
    of = f"{kept:,} of {counted(len(spans), 'span')} of {short_seconds(every_s)} surely keep it"
    return f"{of}; in the one from {short_seconds(worst.began_s)} on"
