"""The verdict on one step: five states, from intervals that allow for correlation, never from a point estimate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from sendpoll.load.measure.objective_rule import Decision, Evidence, evidence
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.slo import Objective, duration
from sendpoll.load.measure.statistics import wilson
from sendpoll.load.plan.steps import UNSETTLED, Step
from sendpoll.load.plan.tallies import Observations, Tally

_HOPELESS_SHARE: Final = 0.5
_HOPELESS_TASKS: Final = 30
_SOME: Final = 8
_DEAD_ERRORS: Final = 0.5
_LITTLE_LATENESS: Final = 0.05
"""As a share of a user's round, so that it changes the load by no more; with open arrivals, of a task."""
_FEW_CHANGED: Final = 0.01
"""As a share of the tasks."""


class StepVerdict(StrEnum):
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
class JudgedObjective:
    """One objective in one step."""

    objective: Objective
    tally: Tally
    evidence: Evidence

    @property
    def decision(self) -> Decision:
        """What its counts say."""
        return self.evidence.decision

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
    objectives: tuple[JudgedObjective, ...]
    """Every tier's."""
    verdict: StepVerdict
    """Of the tier that the search is for."""
    places: tuple[int, ...]
    """That tier's objectives."""

    @property
    def wanted(self) -> tuple[JudgedObjective, ...]:
        """The objectives that the verdict is on."""
        return tuple(self.objectives[place] for place in self.places)

    @property
    def leans_good(self) -> bool:
        """Whether every objective's samples are on the good side."""
        return self.verdict is StepVerdict.PASS or (
            self.verdict is StepVerdict.INCONCLUSIVE and all(one.leans_good for one in self.wanted)
        )

    @property
    def has_failed(self) -> bool:
        """Whether the server was too slow for certain, or did not answer at all."""
        return self.verdict in {StepVerdict.FAIL, StepVerdict.UNREACHABLE}

    @property
    def is_mostly_bad(self) -> bool:
        """Whether most samples of an objective were bad, if too few to be certain."""
        return any(one.tally.total >= _SOME and one.share < _HOPELESS_SHARE for one in self.wanted)

    @property
    def binding(self) -> JudgedObjective | None:
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
    """The verdicts on a step, with the correlation that the observations' steps and it have shown.

    Of a server that failed most tasks that is no allowance to make: see `sendpoll.load.measure.outage`.
    """
    is_out = 2 * sum(1 for record in step.records if record.error) > len(step.records)
    objectives = tuple(
        judged(objective, tally, 1.0 if is_out else observations.effect(place, step.level, tally))
        for place, (objective, tally) in enumerate(
            zip(observations.objectives, observations.tallies_of(step), strict=True)
        )
    )
    wanted = observations.places(observations.tiers[0])
    is_unsettled = step.hold.purpose in UNSETTLED
    if step.late and not is_unsettled and lateness_matters(observations, step):
        step = replace(step, problems=(*step.problems, *step.late))
    if step.problems:
        return Assessment(step, objectives, StepVerdict.INVALID, wanted)
    if _is_unanswered(step):
        return Assessment(step, objectives, StepVerdict.UNREACHABLE, wanted)
    if is_unsettled:
        return Assessment(step, objectives, StepVerdict.INCONCLUSIVE, wanted)
    return Assessment(step, objectives, together(objectives[place] for place in wanted), wanted)


def _is_unanswered(step: Step) -> bool:
    """Whether nobody answered any task: a refusal is an answer."""
    records = step.records
    unanswered = all(not record.status and record.error for record in records)
    return bool(records) and unanswered and any(record.outcome is not Outcome.REFUSED for record in records)


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


def together(objectives: Iterable[JudgedObjective]) -> StepVerdict:
    """One verdict for several objectives: a failed one fails all, a doubtful one leaves all in doubt.

    An objective that had no bad sample is no reason to doubt what another has shown: none of 100 tasks ended in an
    error, and that is too few to prove "errors <= 1%", but nothing speaks against it either. Nor does one that allows
    no bad sample at all prove anything by having none.
    """
    seen = tuple(objectives)
    if any(one.decision is Decision.FAIL for one in seen):
        return StepVerdict.FAIL
    proven = any(one.decision is Decision.PASS and one.objective.share < 1 for one in seen)
    doubtful = any(one.decision is Decision.INCONCLUSIVE and one.tally.bad for one in seen)
    return StepVerdict.PASS if proven and not doubtful else StepVerdict.INCONCLUSIVE


def judged(objective: Objective, tally: Tally, effect: float) -> JudgedObjective:
    """One objective on counts, with as many samples as they are worth."""
    return JudgedObjective(objective, tally, evidence(objective.share, tally.good, tally.total, effect))


def is_settled_case(observations: Observations, step: Step) -> bool:
    """Whether the tasks that have not ended can no longer change the verdict, whatever becomes of them."""
    pessimistic = observations.tallies_of(step)
    for place, (objective, tally) in enumerate(zip(observations.objectives, pessimistic, strict=True)):
        hopeful = Tally(min(tally.total, tally.good + step.unfinished), tally.total)
        effect = observations.effect(place, step.level, tally)
        decisions = {judged(objective, one, effect).decision for one in (tally, hopeful)}
        if decisions == {Decision.FAIL}:
            return True
        if decisions != {Decision.PASS}:
            return False
    return True


def is_hopeless(observations: Observations, step: Step) -> bool:
    """Whether a step is so far beyond what the server holds that nothing more is to be learnt from it."""
    if step.started < _HOPELESS_TASKS:
        return False
    for place, tally in enumerate(observations.tallies_of(step)):
        hopeful = min(tally.total, tally.good + step.unfinished)
        effect = observations.effect(place, step.level)
        if wilson(hopeful / effect, tally.total / effect).high < _HOPELESS_SHARE:
            return True
    return False
