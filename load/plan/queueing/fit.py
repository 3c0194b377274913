"""Which disciplines agree with the tasks that were seen, and how much each does: judged on tasks that it was not told.

Each candidate turns arrivals and ends into work. Of the right one the work is one distribution, whatever the load was;
of a wrong one it is wider, and depends on it. So a candidate's score is how likely the tasks of one part are under the
distribution of the other parts. Weights are by that score, evened out as its own noise asks.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sendpoll.load.plan.queueing.demand import Demand
from sendpoll.load.plan.queueing.discipline import Discipline, DisciplineKind
from sendpoll.load.plan.queueing.traces import Floats, Traces
from sendpoll.load.plan.queueing.work import Work, work_of

_PARTS = 4
_MOST_TASKS = 1200
"""The latest so many are fitted: older ones say little more for the time."""
_CONTENTION = (0.01, 0.02, 0.04, 0.07, 0.12, 0.2, 0.35, 0.6, 1.0)
_COHERENCY = (0.0005, 0.002, 0.008, 0.03)
_NEGLIGIBLE = 1e-4
"""A weight that no answer depends on."""
_LOST = 12.0
"""A candidate so far behind the best is not looked at again."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One discipline, and how well it told tasks that it had not seen."""

    discipline: Discipline
    score: float
    """The logarithm of the likelihood of the held-out tasks."""
    by_task: Floats
    work: Work


@dataclass(frozen=True, slots=True)
class Fit:
    """What is known of a server: candidates by weight, the best first."""

    candidates: tuple[Candidate, ...]
    weights: tuple[float, ...]
    most_at_once: int
    """Tasks in the system at once that were seen: of more, nothing is known."""
    traces: Traces
    """The tasks that it was fitted to, in the order of the candidates' work."""

    @property
    def best(self) -> Candidate:
        """The one that tells the tasks best."""
        return self.candidates[0]

    def weight_of(self, kind: DisciplineKind) -> float:
        """How much speaks for a kind."""
        pairs = zip(self.candidates, self.weights, strict=True)
        return sum(weight for one, weight in pairs if one.discipline.kind is kind)


def fit(traces: Traces) -> Fit:
    """Fit every discipline. `traces` must hold at least one task that was not refused."""
    most, room = most_at_once(traces), room_of(traces)
    recent = _latest(traces)
    scored = [_scored(recent, replace(one, room=room)) for one in _coarse(most)]
    best = max(one.score for one in scored)
    near = [one for one in scored if one.score > best - _LOST]
    scored += [_scored(recent, replace(one, room=room)) for one in _finer([one.discipline for one in near], most)]
    scored.sort(key=lambda one: -one.score)
    pairs = zip(scored, _weights(scored), strict=True)
    kept = sorted(((one, weight) for one, weight in pairs if weight > _NEGLIGIBLE), key=lambda pair: -pair[1])
    total = sum(weight for _, weight in kept)
    return Fit(tuple(one for one, _ in kept), tuple(weight / total for _, weight in kept), most, recent)


def most_at_once(traces: Traces) -> int:
    """The most tasks that were in the system at a time."""
    taken = traces.chosen(~traces.refused)
    moments = np.concatenate([taken.arrived, taken.ended])
    changes = np.concatenate([np.ones(len(taken)), -np.ones(len(taken))])
    order = np.lexsort((changes, moments))
    return int(np.max(np.cumsum(changes[order]), initial=1))


def room_of(traces: Traces) -> float:
    """How many tasks the server has room for: the fewest that were there when it refused one; infinite if it never did.

    Where it took others with as many there, it refuses for another reason, and no number is held against it.
    """
    refused = np.flatnonzero(traces.refused)
    if not len(refused):
        return math.inf
    there = [_there(traces, float(traces.arrived[place])) for place in refused]
    taken = traces.arrived[~traces.refused]
    most_taken = max((_there(traces, float(at)) for at in taken), default=0)
    typical = float(np.median(there))
    return max(1.0, typical) if typical >= 0.7 * most_taken else math.inf


def _there(traces: Traces, at: float) -> int:
    return int(np.sum(~traces.refused & (traces.arrived < at) & (traces.ended > at)))


def _latest(traces: Traces) -> Traces:
    if len(traces) <= _MOST_TASKS:
        return traces
    which = np.zeros(len(traces), dtype=bool)
    which[-_MOST_TASKS:] = True
    return traces.chosen(which)


def _coarse(most: int) -> Iterator[Discipline]:
    for slots in _numbers(most):
        yield Discipline(DisciplineKind.FIFO, slots=slots)
        if 1 <= slots < most:
            yield Discipline(DisciplineKind.SHARING, full_speed=slots)
    if most < 2:
        return
    for contention in _CONTENTION:
        yield Discipline(DisciplineKind.SLOWING, contention=contention)
        for coherency in _COHERENCY:
            yield Discipline(DisciplineKind.SCALABILITY, contention=contention, coherency=coherency)


def _numbers(most: int) -> list[float]:
    """Numbers of slots: each up to 12, then in steps of a tenth; one more than was seen stands for all beyond."""
    found: list[float] = []
    slots = 1.0
    while slots < most:
        found.append(slots)
        slots = slots + 1 if slots < 12 else math.ceil(slots * 1.1)
    return [*found, math.inf]


def _finer(near: Sequence[Discipline], most: int) -> Iterator[Discipline]:
    """What lies around the good ones: numbers of slots between two, and slots that slow each other down."""
    known = set(_numbers(most))
    found: dict[Discipline, None] = {}
    for one in near:
        if one.kind is DisciplineKind.FIFO and math.isfinite(one.slots):
            for slots in range(int(one.slots * 0.92), int(one.slots * 1.08) + 2):
                if slots >= 1 and slots not in known and slots < most:
                    found[Discipline(DisciplineKind.FIFO, slots=slots)] = None
            for contention in _CONTENTION[:7]:
                found[Discipline(DisciplineKind.SLOWING, slots=one.slots, contention=contention)] = None
        if one.kind is DisciplineKind.SHARING:
            for factor in (0.85, 0.92, 1.08, 1.17):
                found[Discipline(DisciplineKind.SHARING, full_speed=max(1.0, one.full_speed * factor))] = None
        if one.kind is DisciplineKind.SLOWING:
            for factor in (0.7, 0.85, 1.2, 1.4):
                found[Discipline(DisciplineKind.SLOWING, slots=one.slots, contention=one.contention * factor)] = None
    yield from found


def _scored(traces: Traces, discipline: Discipline) -> Candidate:
    work = work_of(traces, discipline)
    parts = np.arange(len(traces)) % min(_PARTS, max(2, len(traces)))
    by_task = np.zeros(len(traces))
    taken = ~traces.refused
    for part in np.unique(parts):
        told, held_out = taken & (parts != part), taken & (parts == part)
        ends = Demand.of(work.low[told], work.high[told])
        by_task[held_out] = ends.score(work.low[held_out], work.high[held_out])
        firsts = Demand.of(work.first_low[told], work.first_high[told])
        began = held_out & np.isfinite(work.first_high)
        by_task[began] += firsts.score(work.first_low[began], work.first_high[began])
    return Candidate(discipline, float(by_task.sum()), by_task, work)


def _weights(scored: Sequence[Candidate]) -> list[float]:
    """By the difference to the best, and by a prior.

    Of two that tell the tasks alike the simpler one, and the smaller number of slots, is likelier.
    """
    best = scored[0]
    found = []
    for one in scored:
        behind = best.score - one.score
        found.append(math.exp(-behind) * _prior(one.discipline))
    total = sum(found)
    return [weight / total for weight in found]


def _prior(discipline: Discipline) -> float:
    """Simple ones first; what a kind has is spread over the values that its parameters can take."""
    size = discipline.slots if math.isfinite(discipline.slots) else discipline.full_speed
    least = 1 / size if math.isfinite(size) else 0.5
    kinds = {
        DisciplineKind.FIFO: 1.0,
        DisciplineKind.SHARING: 0.5,
        DisciplineKind.SLOWING: 0.3 / len(_CONTENTION),
        DisciplineKind.SCALABILITY: 0.1 / 36,
    }
    return kinds[discipline.kind] * least
