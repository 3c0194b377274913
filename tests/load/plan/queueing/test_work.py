from __future__ import annotations

import numpy as np
import pytest

from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.plan.queueing.demand import Demand, survival_weights
from sendpoll.load.plan.queueing.discipline import Discipline, DisciplineKind
from sendpoll.load.plan.queueing.traces import traces_of
from sendpoll.load.plan.queueing.work import work_of
from tests.load.plan.queueing.made_up import seen
from tests.load.plan.virtual import fixed
from tests.load.plan.virtual_sharing import SharingServer, shared, slowing


@pytest.mark.parametrize(
    ("server", "discipline"),
    [
        (SharingServer(fixed(20), fixed(3), slots=3), Discipline(DisciplineKind.FIFO, slots=3)),
        (SharingServer(fixed(20), fixed(3), speed=shared(2.0)), Discipline(DisciplineKind.SHARING, full_speed=2)),
        (
            SharingServer(fixed(20), fixed(3), slots=4, speed=slowing(0.2)),
            Discipline(DisciplineKind.SLOWING, slots=4, contention=0.2),
        ),
        (
            SharingServer(fixed(20), fixed(3), speed=slowing(0.1, 0.01)),
            Discipline(DisciplineKind.SCALABILITY, contention=0.1, coherency=0.01),
        ),
    ],
    ids=["queue", "sharing", "slowing", "scalability"],
)
def test_under_the_servers_own_discipline_every_task_is_the_work_it_was(
    server: SharingServer, discipline: Discipline
) -> None:
    traces = seen(server, ((2, 100), (7, 400)))
    found = work_of(traces, discipline)
    ended = traces.ended < 300  # the last ones were slowed down by some that are not among them
    assert np.median(found.high[ended]) == pytest.approx(20, rel=0.05)
    assert np.quantile(np.abs((found.low + found.high)[ended] / 2 - 20), 0.9) < 1.5


def test_with_too_few_slots_tasks_would_have_been_less_work_than_they_were() -> None:
    traces = seen(SharingServer(fixed(20), fixed(3), slots=6), ((6, 100),))
    assert np.median(work_of(traces, Discipline(DisciplineKind.FIFO, slots=1)).high) < 10
    assert np.all(work_of(traces, Discipline(DisciplineKind.FIFO, slots=6)).high > 19)


def test_open_tasks_give_their_share_to_the_longer_ones() -> None:
    values, is_open = np.array([1.0, 2.0, 3.0, 4.0]), np.array([False, True, False, False])
    weights, beyond = survival_weights(values, is_open, np.ones(4))
    assert weights.tolist() == pytest.approx([0.25, 0, 0.375, 0.375])
    assert beyond == pytest.approx(0)
    weights, beyond = survival_weights(values, np.array([False, False, False, True]), np.ones(4))
    assert beyond == pytest.approx(0.25)


def test_a_distribution_is_likelier_for_what_it_was_fitted_to() -> None:
    rng = np.random.default_rng(3)
    some, others = np.exp(rng.normal(3, 0.3, 100)), np.exp(rng.normal(3, 0.3, 100))
    demand = Demand.of(some - 0.5, some)
    assert demand.score(others - 0.5, others).sum() > demand.score(2 * others - 0.5, 2 * others).sum() + 50


def test_a_task_that_has_not_ended_is_more_work_than_so_much() -> None:
    demand = Demand.of(np.array([9.5, 9.7, 9.9, 10.1]), np.array([10.0, 10.2, 10.4, 10.6]))
    early, late = demand.score(np.array([5.0, 20.0]), np.array([np.inf, np.inf]))
    assert early == pytest.approx(0, abs=0.05)
    assert late < -2


def test_what_broke_says_nothing_of_the_queue_and_what_is_open_does() -> None:
    broken = TaskRecord(user=1, scheduled_at=0, sent_at=0, ended_at=1, outcome=Outcome.FAILED)
    refused = TaskRecord(user=2, scheduled_at=2, sent_at=2, ended_at=2.01, outcome=Outcome.REFUSED)
    traces = traces_of([broken, refused], 0.5, [1.0], now=9.0)
    assert traces.arrived.tolist() == [1.0, 2.0]
    assert traces.refused.tolist() == [False, True]
    assert np.isinf(traces.end_high).all()
    assert traces.end_low[0] == 9.0
