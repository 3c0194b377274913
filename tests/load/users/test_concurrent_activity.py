"""What a user does beside a task: a second device that reads, a message that does not wait."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import gevent
import pytest

from sendpoll.load.measure.records import Exchange, Outcome, TaskRecord
from sendpoll.load.users.caller import FOLLOW_UP, FOLLOW_UP_POLL, SECOND_READER, CallFailed
from sendpoll.load.users.concurrent_activity import ConcurrentActivity
from sendpoll.load.users.errand import Sent
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.task_walk import TaskWalk
from tests.load.users.test_task_walk import TASK, FakeCaller, _generator, errand_of, poll

__all__ = ["_generator"]

SECOND_TASK = TASK.replace(b"t1", b"t2")
REFUSED = CallFailed("refused", Exchange("POST /messages", 0.0, 0.1, 409, "{}"))


class Walked:
    """One walk with somebody beside, and all that came of it."""

    def __init__(self, generator: Generator, own: Sequence[Any], beside: Sequence[Any], **told: Any) -> None:
        self.callers: list[FakeCaller] = []

        def connect() -> FakeCaller:
            self.callers.append(FakeCaller(generator, *beside))
            return self.callers[-1]

        self.beside = ConcurrentActivity(connect, generator.crashed)
        follow_up = errand_of(generator, 0.0, sent=Sent.FOLLOW_UP) if told.pop("follow_up", False) else None
        errand = errand_of(generator, time.perf_counter(), follow_up=follow_up, **told)
        self.walk = TaskWalk(generator, FakeCaller(generator, *own), errand, generator.task_started(), self.beside)

    def records(self) -> list[TaskRecord]:
        """Walk to the end; the records in the order of their end."""
        self.walk.walk()
        self.beside.close()
        return self.walk.generator.metrics.take_records()


def test_a_second_reader_that_gets_the_same_log_changes_no_number(generator: Generator) -> None:
    own = (TASK, poll("running", 0), poll("running", 1, "a"), poll("completed", 2, "b"))
    walked = Walked(generator, own, (poll("running", 1, "a"), poll("completed", 2, "b")), second_reader_after=0.0)
    (record,) = walked.records()
    assert (record.outcome, record.polls, record.violations) == (Outcome.FINISHED, 3, ())
    assert {call for call, _ in walked.callers[0].made} == {SECOND_READER}
    window = generator.metrics.tick(1, 1)
    assert (window.polls, window.counts["extra_polls"]) == (3, 2)
    assert window.histograms["polls_per_task"].maximum == 3


def test_a_second_reader_that_gets_another_log_is_called_in_the_record_of_the_task(generator: Generator) -> None:
    own = (TASK, poll("running", 1, "a"), poll("completed", 2, "b"))
    (record,) = Walked(generator, own, (poll("completed", 2, "a", "B"),), second_reader_after=0.0).records()
    assert [requirement for requirement, _ in record.violations] == ["POLL-5"]


def test_a_second_reader_is_told_what_the_first_has_seen_end(generator: Generator) -> None:
    own = (TASK, poll("completed", 1, "a"))
    beside = (poll("running", 1, "a"), poll("running", 1))
    (record,) = Walked(generator, own, beside, second_reader_after=0.05).records()
    assert "POLL-7" in {requirement for requirement, _ in record.violations}


def test_a_follow_up_is_a_task_of_its_own_that_no_objective_judges(generator: Generator) -> None:
    own = (TASK, poll("running", 0), poll("completed", 1, "a"))
    walked = Walked(generator, own, (SECOND_TASK, poll("running", 0), poll("completed", 1, "b")), follow_up=True)
    second, first = sorted(walked.records(), key=lambda record: not record.follow_up)
    assert (first.outcome, first.is_sample) == (Outcome.FINISHED, True)
    assert (second.outcome, second.follow_up, second.is_sample) == (Outcome.FINISHED, True, False)
    assert [call for call, _ in walked.callers[0].made] == [FOLLOW_UP, FOLLOW_UP_POLL, FOLLOW_UP_POLL]
    assert (generator.started.total(), generator.ended.total()) == (2, 2)
    window = generator.metrics.tick(1, 1)
    assert window.counts["samples"] == 1
    assert window.histograms["submit"].count == 1


def test_a_follow_up_that_is_clearly_refused_breaks_nothing(generator: Generator) -> None:
    own = (TASK, poll("running", 0), poll("completed", 1, "a"))
    records = Walked(generator, own, (REFUSED,), follow_up=True).records()
    (second,) = (record for record in records if record.follow_up)
    assert (second.outcome, second.violations) == (Outcome.ABANDONED, ())
    assert generator.metrics.level.judge(second) == (None,)


def test_two_messages_in_one_task_are_called(generator: Generator) -> None:
    own = (TASK, poll("running", 0), poll("completed", 1, "a"))
    records = Walked(generator, own, (TASK, poll("completed", 1, "a")), follow_up=True).records()
    assert {requirement for record in records for requirement, _ in record.violations} == {"QUEUE-1"}


def test_an_answer_to_the_message_that_came_later_is_called(generator: Generator) -> None:
    own, later = generator.markers.issue(1), generator.markers.issue(1)
    answers = (TASK, poll("running", 1, f"you said {own.text}"), poll("completed", 2, later.text))
    (record,) = Walked(generator, answers, (), mark=own).records()
    assert [requirement for requirement, _ in record.violations] == ["QUEUE-1"]


@pytest.mark.parametrize("told", [{"follow_up": True}, {"second_reader_after": 0.0}], ids=["follow-up", "reader"])
def test_a_user_that_is_stopped_leaves_nothing_behind(generator: Generator, told: dict[str, Any]) -> None:
    walked = Walked(generator, (TASK, poll("running", 0)), (SECOND_TASK, poll("running", 0)), **told)
    user = gevent.spawn(walked.walk.walk)
    gevent.sleep(0.03)
    user.kill()
    records = generator.metrics.take_records()
    assert {record.outcome for record in records} == {Outcome.ABANDONED}
    assert len(records) == (2 if "follow_up" in told else 1)
    assert generator.started.total() == generator.ended.total() == len(records)
    requests = len(walked.callers[0].made)
    gevent.sleep(0.03)
    assert len(walked.callers[0].made) == requests


def test_a_task_that_had_finished_when_its_user_was_stopped_has_finished(generator: Generator) -> None:
    own = (TASK, poll("completed", 1, "a"))
    walked = Walked(generator, own, (poll("running", 0),), second_reader_after=0.0)
    user = gevent.spawn(walked.walk.walk)
    gevent.sleep(0.05)
    user.kill()
    (record,) = generator.metrics.take_records()
    assert (record.outcome, record.error) == (Outcome.FINISHED, "")


def test_what_only_overlapping_messages_suffer_is_called_when_chance_is_out_of_the_question(
    generator: Generator,
) -> None:
    object.__setattr__(generator.scenario, "follow_up_share", 0.5)
    answered = (poll("running", 0), poll("completed", 1, "a"))
    found = []
    for _ in range(40):
        errand = errand_of(generator, time.perf_counter())
        TaskWalk(generator, FakeCaller(generator, TASK, *answered), errand, generator.task_started()).walk()
        records = Walked(generator, (TASK, *answered), (SECOND_TASK, poll("completed", 0)), follow_up=True).records()
        found += [requirement for record in records for requirement, _ in record.violations]
    assert set(found) == {"QUEUE-1"}
    (sentence,) = {violation.sentence.split(";")[0] for violation in generator.metrics.evidence["QUEUE-1"]}
    assert sentence == "a message ended without any event"
