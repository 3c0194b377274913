from __future__ import annotations

import math

import pytest

from sendpoll.load.plan.queueing.discipline import Discipline, DisciplineKind
from sendpoll.load.plan.queueing.fit import fit, most_at_once, room_of
from sendpoll.load.plan.queueing.oddness import IN_STRETCHES, OVER_TIME, oddness
from sendpoll.load.plan.queueing.work import work_of
from tests.load.plan.queueing.made_up import seen
from tests.load.plan.virtual import Draw, exponential, fixed, lognormal, uniform
from tests.load.plan.virtual_sharing import SharingServer, Speed, shared


@pytest.mark.parametrize("service", [fixed(30), uniform(15, 45), lognormal(30, 0.5)], ids=["fixed", "even", "varied"])
def test_slots_are_found(service: Draw) -> None:
    found = fit(seen(SharingServer(service, exponential(3), slots=4), ((4, 60), (9, 400))))
    assert found.best.discipline.slots == 4
    near = [one for one in found.candidates if one.discipline.slots == 4]
    assert len(near) >= 1


def test_a_server_that_shares_itself_is_told_from_one_with_slots() -> None:
    found = fit(seen(SharingServer(lognormal(20, 0.4), exponential(3), speed=shared(3)), ((2, 80), (8, 500))))
    assert found.weight_of(DisciplineKind.FIFO) < 0.1


def test_of_more_tasks_than_were_there_nothing_is_claimed() -> None:
    traces = seen(SharingServer(fixed(30), fixed(1)), ((5, 200),))
    found = fit(traces)
    assert found.most_at_once == most_at_once(traces) == 5
    assert math.isinf(found.best.discipline.slots)


def test_room_is_what_was_there_when_it_refused() -> None:
    server = SharingServer(fixed(30), fixed(5), slots=2, room=4)
    assert room_of(seen(server, ((8, 200),))) == 4
    assert math.isinf(room_of(seen(server, ((3, 200),))))


@pytest.mark.parametrize("seed", range(8))
def test_tasks_of_a_server_that_the_model_knows_are_not_odd(seed: int) -> None:
    server = SharingServer(exponential(20), exponential(3), slots=5)
    traces = seen(server, ((4, 60), (12, 500)), seed)
    assert oddness(traces, work_of(traces, Discipline(DisciplineKind.FIFO, slots=5)))[0] > 0.01


@pytest.mark.parametrize(
    ("speed", "depends"),
    [
        (lambda _, now: 0.4 if now < 200 else 1.0, {OVER_TIME, IN_STRETCHES}),
        (lambda _, now: 0.4 if now % 200 < 80 else 1.0, {OVER_TIME, IN_STRETCHES}),
    ],
    ids=["cold start", "noisy neighbour"],
)
def test_tasks_of_a_server_that_changes_are(speed: Speed, depends: set[str]) -> None:
    server = SharingServer(lognormal(20, 0.3), exponential(3), slots=5, speed=speed)
    traces = seen(server, ((4, 60), (9, 600)))
    odd, what = oddness(traces, work_of(traces, Discipline(DisciplineKind.FIFO, slots=5)))
    assert odd < 0.002
    assert what in depends


def test_a_handful_of_tasks_is_never_odd() -> None:
    traces = seen(SharingServer(fixed(30), fixed(1), slots=1), ((1, 150),))
    assert oddness(traces, work_of(traces, Discipline(DisciplineKind.FIFO, slots=1))) == (1.0, "")


@pytest.mark.parametrize(
    ("discipline", "most"),
    [
        (Discipline(DisciplineKind.FIFO, slots=4), 4),
        (Discipline(DisciplineKind.SHARING, full_speed=2.5), 2.5),
        (Discipline(DisciplineKind.SLOWING, slots=4, contention=0.5), 1.6),
        (Discipline(DisciplineKind.SLOWING, contention=0.5), 2),
        (Discipline(DisciplineKind.SCALABILITY, contention=0.0, coherency=0.01), 10 / 1.9),
    ],
)
def test_saturation_is_the_most_work_a_second(discipline: Discipline, most: float) -> None:
    assert discipline.saturation == pytest.approx(most)
