from __future__ import annotations

import math
import random
from dataclasses import dataclass

import pytest

from sendpoll.load.engine import Cohort, View
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.plan.answer import tier_answer
from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.controller import PlanController
from sendpoll.load.plan.learnt import Learnt, described
from sendpoll.load.plan.model_search import ModelSearch
from sendpoll.load.plan.outcome import Conclusion, End
from sendpoll.load.plan.queueing.capacity_forecast import forecast
from sendpoll.load.plan.queueing.discipline import Discipline, DisciplineKind
from sendpoll.load.plan.queueing.predict import Users
from sendpoll.load.plan.search import Search
from sendpoll.load.plan.settings import FULL, QUICK, Settings
from sendpoll.load.plan.steps import Purpose
from sendpoll.load.plan.tallies import Observations
from sendpoll.load.plan.task_log import PlanTasks
from tests.load.plan.virtual import fixed, lognormal
from tests.load.plan.virtual_sharing import SharingLoad, SharingServer, run_sharing


@dataclass(frozen=True)
class Came:
    """What a plan came to."""

    model: ModelSearch
    conclusion: Conclusion
    capacity: Capacity
    seconds: float


def planned(server: SharingServer, *slos: str, seed: int = 1, quick: bool = False, most: float = 1000) -> Came:
    settings = Settings(
        ServiceLevel.parse(slos),
        pace=QUICK if quick else FULL,
        budget_s=220 if quick else 700,
        max_level=most,
        task_deadline_s=600,
    )
    book = Observations(settings.service)
    ladder, source = Search(settings, book), random.Random(seed)
    users = Users(tuple(server.think(source) for _ in range(1000)), server.poll_interval)
    model = ModelSearch(settings, ladder, lambda: controller.log, users, forecast)
    controller = PlanController(model.run(), book, task_deadline_s=600)
    seconds = run_sharing(controller, SharingLoad(server, seed))
    assert controller.conclusion is not None
    return Came(model, controller.conclusion, tier_answer(book, "", settings).capacity, seconds)


@pytest.mark.parametrize("seed", range(3))
def test_four_slots_of_half_a_minute_hold_eight_users(seed: int) -> None:
    """In four minutes, in which they finish some 25 tasks: half of the tasks wait for one other, and none for two."""
    found = planned(SharingServer(fixed(30), fixed(1), slots=4), "task p95 <= 60s", seed=seed, quick=True)
    assert found.capacity.level is not None
    assert found.capacity.high is not None
    assert 7 <= math.floor(found.capacity.level) <= 9
    assert found.capacity.high - found.capacity.low <= 3
    assert not found.model.thrown_out
    assert found.seconds <= 221


def test_waves_grow_while_nothing_waits_and_stop_where_something_does() -> None:
    found = planned(SharingServer(fixed(30), fixed(1), slots=12), "task p95 <= 60s")
    waves = [one.step for one in found.conclusion.assessments if one.step.hold.purpose is Purpose.WAVE]
    assert [step.level for step in waves][:3] == [4, 8, 16]
    assert waves[2].waiting > 0
    assert max(step.level for step in waves) == 16


def test_no_wave_is_larger_than_the_users_that_are_allowed() -> None:
    found = planned(SharingServer(fixed(30), fixed(1), slots=40), "task p95 <= 60s", most=6)
    assert max(one.step.level for one in found.conclusion.assessments) == 6
    assert found.conclusion.end is not End.CONVERGED


def test_where_no_event_shows_no_more_users_come_than_a_lone_slot_can_bear() -> None:
    server = SharingServer(fixed(100), fixed(1), slots=1, first_event=1.0)
    found = planned(server, "task p95 <= 150s")
    assert max(one.step.level for one in found.conclusion.assessments) <= 16


def test_a_server_that_slows_down_in_mid_plan_throws_the_model_out() -> None:
    server = SharingServer(lognormal(15, 0.3), fixed(1), slots=5, speed=lambda _, now: 1.0 if now < 250 else 0.3)
    found = planned(server, "task p95 <= 60s")
    assert found.model.thrown_out
    assert found.conclusion.end is not End.CONVERGED


def test_refusals_are_answers_and_show_the_room() -> None:
    found = planned(SharingServer(fixed(20), fixed(5), slots=4, room=6), "task p95 <= 60s")
    assert found.model.forecast is not None
    assert found.model.forecast.discipline.room == 6
    assert not found.model.thrown_out


def test_what_no_model_foretells_is_left_to_the_ladder() -> None:
    found = planned(SharingServer(fixed(30), fixed(1), slots=4), "submit p95 <= 1s", most=8)
    assert found.model.forecast is None


def test_a_model_tells_what_it_learnt() -> None:
    found = planned(SharingServer(fixed(30), fixed(1), slots=4), "task p95 <= 60s", quick=True).model.forecast
    assert found is not None
    told = Learnt(found).as_json()
    assert told["slots"] == 4
    assert told["service_s"] == pytest.approx(30, abs=0.6)
    assert "4 slots" in told["sentence"]
    assert "thrown out" in Learnt(found, "it changed").sentence


@pytest.mark.parametrize(
    ("discipline", "words"),
    [
        (Discipline(DisciplineKind.FIFO), "a place for every task at once"),
        (Discipline(DisciplineKind.SHARING, full_speed=3), "power for 3 tasks"),
        (Discipline(DisciplineKind.SLOWING, slots=2, contention=0.1, room=5), "and room for 5"),
    ],
)
def test_a_discipline_is_told_in_words(discipline: Discipline, words: str) -> None:
    assert words in described(discipline)


def test_the_log_knows_when_open_tasks_were_sent() -> None:
    log = PlanTasks()
    ended = TaskRecord(user=1, scheduled_at=1.4, sent_at=1.4, ended_at=7.0, outcome=Outcome.FINISHED)
    for now, started, records in ((1.0, 0, []), (2.0, 2, []), (5.0, 3, []), (7.0, 3, [ended])):
        cohorts = {1: Cohort(started, len(records))}
        log.note(View(now, 3, records, cohorts, {}, Metrics(ServiceLevel()), ()))
    assert log.open_since() == [1.5, 3.5]
