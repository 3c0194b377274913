"""The answer of a plan: per tier a level, its interval and the objective that binds, and all of it in a sentence."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Final

from sendpoll.core.text.units import three_digits
from sendpoll.load.measure.slo import Objective
from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.estimate import objective_capacity, tier_capacity
from sendpoll.load.plan.outcome import Conclusion, End
from sendpoll.load.plan.settings import Settings
from sendpoll.load.plan.tallies import Observations

_CLIFF_DROP: Final = 0.3
_CLIFF_DEVIATIONS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Cliff:
    """Two neighbouring levels between which the server does not slow down but fall."""

    good: float
    bad: float
    share_good: float
    share_bad: float


@dataclass(frozen=True, slots=True)
class TierAnswer:
    """What one tier's objectives allow. Levels are users, or messages a second."""

    tier: str
    capacity: Capacity
    binding: Objective | None
    """The objective that gives first; None where none gave."""
    by_objective: tuple[tuple[Objective, Capacity], ...]
    cliff: Cliff | None
    """Where the binding objective is lost all at once: the answer is then the good side, not between."""


def tier_answer(observations: Observations, tier: str, settings: Settings) -> TierAnswer:
    """The answer for a tier, from every sound step."""
    found = [(place, objective_capacity(observations, place)) for place in observations.places(tier)]
    bound = [(one.level, place) for place, one in found if one.level is not None]
    place = min(bound)[1] if bound else None
    cliff = None if place is None else _cliff(observations, place, settings)
    whole = tier_capacity(observations, tier)
    if cliff is not None and whole.level is not None:
        low, high = min(whole.low, cliff.good), min(cliff.bad, math.inf if whole.high is None else whole.high)
        whole = Capacity(min(whole.level, cliff.good), low, max(high, cliff.good))
    objectives = tuple((observations.objectives[place], one) for place, one in found)
    return TierAnswer(tier, whole, None if place is None else observations.objectives[place], objectives, cliff)


def _cliff(observations: Observations, place: int, settings: Settings) -> Cliff | None:
    share = observations.objectives[place].share
    points = [point for point in observations.points(place) if point.total]
    for below, above in itertools.pairwise(points):
        good, bad = below.good / below.total, above.good / above.total
        if good < share or bad >= share or not settings.adjacent(below.level, above.level):
            continue
        spread = math.sqrt(
            sum(_variance(point.good / point.total) * point.effect / point.total for point in (below, above))
        )
        if good - bad > max(_CLIFF_DROP, _CLIFF_DEVIATIONS * spread):
            return Cliff(below.level, above.level, good, bad)
    return None


def _variance(share: float) -> float:
    bounded = min(max(share, 0.02), 0.98)
    return bounded * (1 - bounded)


def sentence(answer: TierAnswer, conclusion: Conclusion, settings: Settings) -> str:
    """The whole plan in a sentence or two."""
    return f"{_headline(answer, conclusion, settings)} {_advice(answer, conclusion, settings)}".strip()


def _headline(answer: TierAnswer, conclusion: Conclusion, settings: Settings) -> str:
    objectives = " and ".join(objective.text for objective, _ in answer.by_objective)
    level, low = answer.capacity.level, shown(answer.capacity.low, settings)
    if conclusion.end is End.SLO_UNREACHABLE:
        gives = f": {answer.binding.text} is missed" if answer.binding else ""
        return f"The server does not meet {objectives} even at the lowest level{gives}."
    if conclusion.end is End.TARGET_UNHEALTHY and not answer.capacity.low:
        return f"Nothing can be said of how many {settings.unit} the server holds: {conclusion.because}."
    if level == 0:
        return f"The server could not be shown to meet {objectives} at any level: {conclusion.because}."
    if level is None or (answer.capacity.high is None and conclusion.end is not End.CONVERGED):
        held = f"at least {low} {settings.unit}" if answer.capacity.low > 0 else "nothing for certain"
        more = f"how much more is not known: {conclusion.because}"
        return f"The server holds {held} within {objectives}, and {more}."
    gives = f"; beyond, {answer.binding.text} gives first" if answer.binding else ""
    high = shown(answer.capacity.high, settings) if answer.capacity.high is not None else "more"
    ends = {
        End.CONVERGED: "",
        End.MAX_USERS_REACHED: "",
        End.TARGET_UNHEALTHY: f" Then it broke: {conclusion.because}.",
    }.get(conclusion.end, f" The search stopped early: {conclusion.because}.")
    return (
        f"The server holds {shown(level, settings)} {settings.unit} within {objectives} "
        f"(95 % interval {low} to {high}){gives}.{ends}"
    )


def _advice(answer: TierAnswer, conclusion: Conclusion, settings: Settings) -> str:
    told = []
    if answer.cliff is not None:
        cliff = answer.cliff
        told.append(
            f"It falls off a cliff: {cliff.share_good:.0%} of tasks are good at {cliff.good:g} {settings.unit} "
            f"and {cliff.share_bad:.0%} at {cliff.bad:g}."
        )
    if conclusion.non_monotonic is not None:
        failed, passed = conclusion.non_monotonic
        told.append(f"It failed at {failed:g} and passed at {passed:g}: it does not only depend on load.")
    if conclusion.recommended is not None and conclusion.end is not End.SLO_UNREACHABLE:
        word = "confirmed" if conclusion.confirmed else "not confirmed"
        told.append(f"Plan with {conclusion.recommended:g} {settings.unit} ({word}).")
    return " ".join(told)


def shown(level: float, settings: Settings) -> str:
    """A level as people read it: whole users, rounded down, or a rate in three digits."""
    return three_digits(level) if settings.arrivals else f"{math.floor(level + 1e-9)}"
