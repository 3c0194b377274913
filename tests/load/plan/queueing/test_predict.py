from __future__ import annotations

import math
import random

import numpy as np
import pytest

from sendpoll.load.plan.queueing.capacity_forecast import Question, forecast, interval
from sendpoll.load.plan.queueing.discipline import Discipline, DisciplineKind
from sendpoll.load.plan.queueing.fit import fit
from sendpoll.load.plan.queueing.predict import Limits, Prediction, Users
from sendpoll.load.plan.queueing.simulate import HeldLevel, Simulation, Tasks
from sendpoll.load.plan.queueing.work_shapes import shaped
from tests.load.plan.queueing.made_up import seen
from tests.load.plan.theory import response_within, throughput_and_response
from tests.load.plan.virtual import exponential, fixed, lognormal
from tests.load.plan.virtual_sharing import SharingServer, attained, shared

ROWS, POOL = 24, 3000


def held(discipline: Discipline, work_s: float, think_s: float, users: int) -> np.ndarray:
    """Task times of a level with exponential work and thinking, polled so often that it makes no difference."""
    rng = np.random.default_rng(5)
    work = rng.exponential(work_s, (ROWS, POOL))
    tasks = Tasks(work, 0.5 * work, rng.exponential(think_s, (ROWS, POOL)))
    simulation = Simulation([discipline] * ROWS, tasks, HeldLevel(np.full(ROWS, float(users))), 0.001, 1)
    return simulation.run(2000, 200).task_s


def test_a_level_is_held_as_theory_says() -> None:
    """A closed network with slots and exponential times, solved exactly."""
    task_s = held(Discipline(DisciplineKind.FIFO, slots=3), 10.0, 5.0, 8)
    _, response = throughput_and_response(8, 3, 10.0, 5.0)
    assert float(task_s.mean()) == pytest.approx(response, rel=0.03)
    assert float(np.mean(task_s <= 40.0)) == pytest.approx(response_within(40.0, 8, 3, 10.0, 5.0), abs=0.01)


def test_processor_sharing_has_the_mean_of_a_queue_with_exponential_times() -> None:
    task_s = held(Discipline(DisciplineKind.SHARING, full_speed=3), 10.0, 5.0, 8)
    assert float(task_s.mean()) == pytest.approx(throughput_and_response(8, 3, 10.0, 5.0)[1], rel=0.03)


def test_each_server_has_users_of_its_own() -> None:
    tasks = Tasks(np.full((2, 50), 10.0), np.full((2, 50), 1.0), np.full((2, 50), 1.0))
    level = HeldLevel(np.array([1.0, 4.0]))
    found = Simulation([Discipline(DisciplineKind.FIFO, slots=1)] * 2, tasks, level, 0.5, 1).run(40, 20).task_s
    assert np.all(found[0] == 10.0)
    assert np.all(found[1] > 30.0)


def test_what_is_refused_is_late() -> None:
    tasks = Tasks(np.full((1, 50), 10.0), np.full((1, 50), 1.0), np.full((1, 50), 1.0))
    found = Simulation(
        [Discipline(DisciplineKind.FIFO, slots=1, room=1)], tasks, HeldLevel(np.array([4.0])), 0.5, 1
    ).run(40, 10)
    assert Limits(task_s=1e6).attained(found)[0] < 0.5


def users_of(server: SharingServer) -> Users:
    source = random.Random(1)
    return Users(tuple(server.think(source) for _ in range(1000)), server.poll_interval)


@pytest.mark.parametrize(
    "server",
    [
        SharingServer(fixed(30), exponential(1), slots=4),
        SharingServer(lognormal(30, 0.4), exponential(5), slots=6),
        SharingServer(lognormal(20, 0.4), exponential(5), speed=shared(4)),
    ],
    ids=["4 slots of 30 s", "6 slots", "sharing"],
)
def test_the_level_at_which_a_server_gives_is_foretold(server: SharingServer) -> None:
    limits = Limits(task_s=75.25)
    found = forecast(Question(seen(server, ((4, 60), (14, 500))), (limits,), users_of(server), 1000))
    told = interval(found.capacities[0], found.most_at_once)
    assert told.level is not None
    assert told.high is not None
    truth = next(n for n in range(1, 60) if attained(server, n + 1, 75.25, 2000) < 0.95)
    assert abs(math.floor(told.level) - truth) <= max(1, 0.1 * truth)
    assert told.low < truth + 1
    assert told.high >= truth


def test_few_tasks_give_a_wide_interval_and_many_a_narrow_one() -> None:
    server = SharingServer(exponential(20), exponential(5), slots=4)
    question = [
        Question(seen(server, ((8, seconds),)), (Limits(task_s=90.0),), users_of(server), 1000) for seconds in (90, 900)
    ]
    few, many = (interval(forecast(one).capacities[0], 8) for one in question)
    assert few.ratio > many.ratio


def test_where_nothing_gave_no_limit_is_told() -> None:
    server = SharingServer(fixed(30), fixed(1))
    found = forecast(Question(seen(server, ((6, 200),)), (Limits(task_s=60.0),), users_of(server), 1000))
    assert found.unbounded > 0.5


def test_one_user_may_be_too_many() -> None:
    server = SharingServer(fixed(30), fixed(1), slots=1)
    prediction = Prediction(fit(seen(server, ((2, 200),))), users_of(server), 1)
    assert np.median(prediction.capacities(Limits(task_s=20.0), 100)) == 0


def test_an_interval_holds_most_of_what_was_drawn() -> None:
    told = interval(np.linspace(9.0, 11.0, 101), 10)
    assert told.level == pytest.approx(10.0, abs=0.1)
    assert told.low < 9.1
    assert told.high is not None
    assert told.high > 10.9
    assert interval(np.array([4.0, 4.5, np.inf]), 10).high is None
    assert interval(np.full(5, np.inf), 10).low == 10


@pytest.mark.parametrize("kind", ["lognormal", "weibull", "pareto", "two clusters"])
def test_a_shape_keeps_the_percentiles_of_what_was_seen(kind: str) -> None:
    rng = np.random.default_rng(7)
    samples = {
        "lognormal": np.exp(rng.normal(3, 0.5, 400)),
        "weibull": rng.exponential(20, 400),
        "pareto": 10 * (1 + rng.pareto(2.2, 400)),
        "two clusters": np.where(rng.uniform(size=400) < 0.7, rng.normal(10, 0.5, 400), rng.normal(60, 2, 400)),
    }
    seen_s = samples[kind]
    drawn = np.concatenate([shaped(rng.choice(seen_s, 2000), np.log(seen_s), rng) for _ in range(20)])
    for share in (0.5, 0.9):
        assert np.quantile(drawn, share) == pytest.approx(np.quantile(seen_s, share), rel=0.15)
