"""What a plan's model has learnt of a server, and whether it decided: for `plan.json` and a reader's eyes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sendpoll.core.text.units import short_seconds
from sendpoll.load.plan.plan_json import LearntTold
from sendpoll.load.plan.queueing.capacity_forecast import CapacityForecast
from sendpoll.load.plan.queueing.discipline import Discipline, DisciplineKind


@dataclass(frozen=True, slots=True)
class Learnt:
    """The model at the end of a plan."""

    forecast: CapacityForecast
    thrown_out: str = ""
    """Why the levels held decided; empty where the model did."""

    @property
    def sentence(self) -> str:
        """What it says of the server, and who decided."""
        found = self.forecast
        told = (
            f"a model of queueing was learnt from {found.tasks:,} tasks; most likely the server has "
            f"{described(found.discipline)}, with {short_seconds(found.service_s)} of work a task"
        )
        if self.thrown_out:
            return f"{told}; it was thrown out, and the levels held decided: {self.thrown_out}"
        return f"{told}; the answer is what all likely ones come to"

    def as_json(self) -> LearntTold:
        """As `plan.json` has it."""
        discipline = self.forecast.discipline
        return {
            "sentence": self.sentence,
            "discipline": str(discipline.kind),
            "slots": _finite(discipline.slots),
            "full_speed": _finite(discipline.full_speed),
            "contention": discipline.contention,
            "coherency": discipline.coherency,
            "room": _finite(discipline.room),
            "weight": self.forecast.weight,
            "service_s": _finite(self.forecast.service_s),
            "most_at_once": self.forecast.most_at_once,
            "tasks": self.forecast.tasks,
            "oddness": self.forecast.oddness,
            "thrown_out": self.thrown_out,
        }


def described(discipline: Discipline) -> str:
    """A discipline in words, as what a server has."""
    if discipline.kind is DisciplineKind.SHARING:
        told = f"power for {discipline.full_speed:.3g} tasks at full speed, shared by all that are there"
    elif math.isinf(discipline.slots):
        told = "a place for every task at once"
    else:
        told = f"{discipline.slots:g} slots, and the other tasks wait"
    if discipline.contention:
        told += f", each task slowed down by {discipline.contention:.2g} of its work for every other"
    if math.isfinite(discipline.room):
        told += f", and room for {discipline.room:g}, beyond which it refuses"
    return told


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
