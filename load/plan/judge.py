"""The verdict on one step: five states, from intervals that allow for correlation, never from a point estimate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sendpoll.load.measure.records import TaskRecord
from sendpoll.load.measure.slo import Objective, duration
from sendpoll.load.measure.statistics import wilson
from sendpoll.load.plan.steps import Step
from sendpoll.load.plan.tallies import Observations, Tally

_DOUBT: Final = 0.025
_HOPELESS_SHARE: Final = 0.5
_HOPELESS_TASKS: Final = 30
_SOME: Final = 8
_DEAD_ERRORS: Final = 0.5
_LITTLE_LATENESS: Final = 0.05
"""As a share of a user's round, so that it changes the load by no more; with open arrivals, of a task."""
_FEW_CHANGED: Final = 0.01
"""As a share of the tasks."""


class Verdict(StrEnum):
    """What a step says of a server."""

    PASS = "pass"  # noqa: S105 - a verdict
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"
    """Too few samples to tell on which side of its share an objective is."""
    INVALID = "invalid"
    """The generator, not the server, was measured."""
    UNREACHABLE = "unreachable"
    """Not one task got an answer."""


@dataclass(frozen=True, slots=True)
class ObjectiveVerdict:
    """One objective in one step."""

    objective: Objective
    tally: Tally
    effect: float
    """The design effect that its interval allows for."""
    low: float
    """The share of good samples, at 95 %: at least."""
    high: float
    """At most."""
    verdict: Verdict

    @property
    def share(self) -> float:
        """The share of good samples that was seen; 1 without any sample."""
        return self.tally.good / self.tally.total if self.tally.total else 1.0

    @property
    def leans_good(self) -> bool:
        """On which side of its share the samples are, however few."""
        return self.share >= self.objective.share


@dataclass(frozen=True, slots=True)
class Assessment:
    """A step and its verdicts."""

    step: Step
    objectives: tuple[ObjectiveVerdict, ...]
    """Every tier's."""
    verdict: Verdict
    """Of the tier that the search is for."""
    places: tuple[int, ...]
    """That tier's objectives."""

    @property
    def wanted(self) -> tuple[ObjectiveVerdict, ...]:
        """The objectives that the verdict is on."""
        return tuple(self.objectives[place] for place in self.places)

    @property
    def leans_good(self) -> bool:
        """Whether every objective's samples are on the good side."""
        return self.verdict is Verdict.PASS or (
            self.verdict is Verdict.INCONCLUSIVE and all(one.leans_good for one in self.wanted)
        )

    @property
    def has_failed(self) -> bool:
        """Whether the server was too slow for certain, or did not answer at all."""
        return self.verdict in {Verdict.FAIL, Verdict.UNREACHABLE}

    @property
    def is_mostly_bad(self) -> bool:
        """Whether most samples of an objective were bad, if too few to be certain."""
        return any(one.tally.total >= _SOME and one.share < _HOPELESS_SHARE for one in self.wanted)

    @property
    def binding(self) -> ObjectiveVerdict | None:
        """The objective that is furthest from being met; None where every sample was good."""
        return min(
            (one for one in self.wanted if one.tally.bad),
            key=lambda one: (one.share - one.objective.share) / (1 - one.objective.share),
            default=None,
        )

    @property
    def failure(self) -> str | None:
        """What most tasks failed with, where not one succeeded; None where one did, or none has ended."""
        records = self.step.records
        named = [record.error or ", ".join(name for name, _ in record.violations) for record in records]
        return Counter(named).most_common(1)[0][0] if named and all(named) else None

    @property
    def is_dead(self) -> bool:
        """Whether most tasks ended in an error: the server is not slow, it is broken."""
        failed = sum(1 for record in self.step.records if record.error or record.violations)
        return self.step.started > 0 and failed > _DEAD_ERRORS * self.step.started


def assess(observations: Observations, step: Step) -> Assessment:
    """The verdicts on a step, with the correlation that the observations's steps and it have shown."""
    judged = tuple(
        objective_verdict(objective, tally, observations.effect(place, step.level, tally))
        for place, (objective, tally) in enumerate(
            zip(observations.objectives, observations.tallies_of(step), strict=True)
        )
    )
    wanted = observations.places(observations.tiers[0])
    if step.late and lateness_matters(observations, step):
        step = replace(step, problems=(*step.problems, *step.late))
    if step.problems:
        return Assessment(step, judged, Verdict.INVALID, wanted)
    if step.started and all(not record.status and record.error for record in step.records) and step.records:
        return Assessment(step, judged, Verdict.UNREACHABLE, wanted)
    return Assessment(step, judged, together(judged[place] for place in wanted), wanted)


def lateness_matters(observations: Observations, step: Step) -> bool:
    """Whether the generator's delays can have changed what the step shows.

    They make every time a little longer. If hardly a sample is beyond its limit by no more than that, none of the
    counts depends on it; if it is little against a round, the load was as ordered, too.
    """
    records = step.records
    if not records:
        return True
    task_s = sum(record.elapsed_s for record in records) / len(records)
    rounds = 0.0 if observations.arrivals else step.rounds_per_second
    round_s = max(task_s, step.level / rounds) if rounds else task_s
    if step.lateness_s > _LITTLE_LATENESS * round_s:
        return True
    limits = [objective for objective in observations.objectives if objective.limit_s is not None]
    allowed = _FEW_CHANGED * len(records)
    return any(sum(_is_just_beyond(one, record, step.lateness_s) for record in records) > allowed for one in limits)


def _is_just_beyond(objective: Objective, record: TaskRecord, lateness_s: float) -> bool:
    taken, limit = duration(objective.metric, record), objective.limit_s
    return taken is not None and limit is not None and limit < taken <= limit + lateness_s


def together(judged: Iterable[ObjectiveVerdict]) -> Verdict:
    """One verdict for several objectives: a failed one fails all, a doubtful one leaves all in doubt.

    An objective that had no bad sample is no reason to doubt what another has shown: none of 100 tasks ended in an
    error, and that is too few to prove "errors <= 1%", but nothing speaks against it either.
    """
    seen = tuple(judged)
    if any(one.verdict is Verdict.FAIL for one in seen):
        return Verdict.FAIL
    proven = any(one.verdict is Verdict.PASS for one in seen)
    doubtful = any(one.verdict is Verdict.INCONCLUSIVE and one.tally.bad for one in seen)
    return Verdict.PASS if proven and not doubtful else Verdict.INCONCLUSIVE


def objective_verdict(objective: Objective, tally: Tally, effect: float) -> ObjectiveVerdict:
    """One objective's verdict on counts."""
    low, high = interval(tally, effect)
    if low >= objective.share:
        verdict = Verdict.PASS
    elif high < objective.share and _chance_of_so_many(tally, effect, objective.share) < _DOUBT:
        verdict = Verdict.FAIL
    else:
        verdict = Verdict.INCONCLUSIVE
    return ObjectiveVerdict(objective, tally, effect, low, high, verdict)


def _chance_of_so_many(tally: Tally, effect: float, share: float) -> float:
    """The chance of so many bad samples where the share is exactly met (binomial tail).

    The Wilson interval of a handful of samples is too narrow near 1: it would call one bad task of three a failure.
    """
    total, bad = round(tally.total / effect), math.floor(tally.bad / effect + 1e-9)
    if not bad:
        return 1.0
    if share >= 1:
        return 0.0
    return 1.0 - sum(math.exp(_log_binomial(total, count, 1 - share)) for count in range(bad))


def _log_binomial(total: int, count: int, chance: float) -> float:
    """The logarithm of the chance of just so many: the number of ways to choose them soon exceeds any float."""
    ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    return ways + count * math.log(chance) + (total - count) * math.log1p(-chance)


def interval(tally: Tally, effect: float) -> tuple[float, float]:
    """The share of good samples at 95 %, with as many samples as they are worth; (0, 1) without any."""
    if not tally.total:
        return 0.0, 1.0
    found = wilson(tally.good / effect, tally.total / effect)
    return found.low, found.high


def is_settled_case(observations: Observations, step: Step) -> bool:
    """Whether the tasks that have not ended can no longer change the verdict, whatever becomes of them."""
    pessimistic = observations.tallies_of(step)
    for place, (objective, tally) in enumerate(zip(observations.objectives, pessimistic, strict=True)):
        hopeful = Tally(min(tally.total, tally.good + step.unfinished), tally.total)
        effect = observations.effect(place, step.level, tally)
        verdicts = {objective_verdict(objective, one, effect).verdict for one in (tally, hopeful)}
        if verdicts == {Verdict.FAIL}:
            return True
        if verdicts != {Verdict.PASS}:
            return False
    return True


def is_hopeless(observations: Observations, step: Step) -> bool:
    """Whether a step is so far beyond what the server holds that nothing more is to be learnt from it."""
    if step.started < _HOPELESS_TASKS:
        return False
    return any(
        interval(
            Tally(min(tally.total, tally.good + step.unfinished), tally.total), observations.effect(place, step.level)
        )[1]
        < _HOPELESS_SHARE
        for place, tally in enumerate(observations.tallies_of(step))
    )
