"""One task from the send to its record."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gevent
import pytest

from sendpoll.core.target.target import Target
from sendpoll.load.engine import Workload
from sendpoll.load.http.client import Answer
from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.measure.refusal import Refusal
from sendpoll.load.scenario.scenario import Message, Scenario
from sendpoll.load.scenario.shape import Steady
from sendpoll.load.users.caller import MESSAGE, REREAD, Call, Caller, CallFailed
from sendpoll.load.users.errand import Errand
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.task_walk import TaskWalk
from sendpoll.load.users.validation import Breach

INTERVAL = 0.005


@pytest.fixture(name="generator")
def _generator() -> Iterator[Generator]:
    scenario = Scenario(
        name="test",
        messages=(Message("hello"),),
        poll_interval_s=INTERVAL,
        task_deadline_s=30,
        shape=Steady(users=1, duration_s=1),
    )
    generator = Generator(Workload(Target(token="the-token"), scenario), "test")
    yield generator
    generator.stop()


class FakeCaller(Caller):
    """Answers with what it was given; the last answer over and over."""

    def __init__(self, generator: Generator, *answers: bytes | Exception) -> None:
        super().__init__(generator, 1, lambda *_: None)
        self.answers = list(answers)
        self.made: list[tuple[Call, bytes]] = []

    def call(self, call: Call, request: bytes, broken: list[Breach]) -> Answer:
        self.made.append((call, request))
        del broken
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        sent_at = time.perf_counter()
        gevent.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        return Answer(200, answer, len(answer), "", sent_at, time.perf_counter())


TASK = b'{"task_id": "t1"}'


def chunk(text: str) -> dict[str, Any]:
    return {"type": "text_chunk", "data": {"content": text}}


def poll(status: str, offset: int, *texts: str) -> bytes:
    data = {"status": status, "next_offset": offset, "events": [chunk(text) for text in texts]}
    return json.dumps({"data": data}).encode()


def errand_of(generator: Generator, scheduled_at: float, **told: Any) -> Errand:
    mark = told.pop("mark", None) or generator.markers.issue(1)
    return Errand(text="hello", conversation="c1", mark=mark, scheduled_at=scheduled_at, **told)


class Walk:
    """Walks a task through the answers that it is given, and returns its record."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.requests: list[tuple[Call, bytes]] = []
        """Those of the last walk."""

    def __call__(
        self, *answers: bytes | Exception, leaves_after: float | None = None, reread: bool = False
    ) -> TaskRecord:
        caller = FakeCaller(self._generator, *answers)
        errand = errand_of(self._generator, time.perf_counter() - 0.001, leaves_after=leaves_after, reread=reread)
        TaskWalk(self._generator, caller, errand, self._generator.task_started()).walk()
        (record,) = self._generator.metrics.take_records()
        self.requests = caller.made
        return record


@pytest.fixture(name="walk")
def _walk(generator: Generator) -> Walk:
    return Walk(generator)


def test_a_task_that_finishes(walk: Walk, generator: Generator) -> None:
    record = walk(TASK, poll("running", 0), poll("running", 2, "a", "b"), poll("completed", 3, "c"))
    assert (record.outcome, record.status, record.violations) == (Outcome.FINISHED, "completed", ())
    assert (record.polls, record.empty_polls, record.events) == (3, 1, 3)
    assert record.submit_s is not None
    assert record.ttfe_s is not None
    assert record.ttfe_lower_s is not None
    assert 0.001 <= record.submit_s + 0.001 <= record.ttfe_lower_s + 0.001 <= record.ttfe_s <= (record.task_s or 0)
    assert record.stall_s is not None
    assert record.stall_s >= INTERVAL
    assert (generator.started.total(), generator.ended.total()) == (1, 1)


def test_polls_ask_with_the_offset_that_was_given(walk: Walk) -> None:
    walk(TASK, poll("running", 7, "a"), poll("running", 7), poll("completed", 9, "b"))
    asked = [request.split(b"from=")[1].split(b" ")[0] for call, request in walk.requests if call is not MESSAGE]
    assert asked == [b"0", b"7", b"7"]


@pytest.mark.parametrize("status", ["failed", "error", "cancelled"])
def test_a_final_status_that_says_failure(walk: Walk, status: str) -> None:
    record = walk(TASK, poll(status, 0))
    assert (record.outcome, record.status) == (Outcome.FAILED, status)
    assert status in record.error


def test_a_refused_message_is_a_failed_task_without_a_submit_time(walk: Walk) -> None:
    record = walk(CallFailed("POST messages: status 503"))
    assert (record.outcome, record.submit_s, record.polls) == (Outcome.FAILED, None, 0)
    assert record.error == "POST messages: status 503"


@pytest.mark.parametrize("answers", [(), (TASK, poll("running", 0))])
def test_a_task_that_is_refused_for_the_moment_is_booked_as_that(walk: Walk, answers: tuple[bytes, ...]) -> None:
    record = walk(*answers, CallFailed("status 429, too many requests", None, Refusal(429)))
    assert record.outcome is Outcome.REFUSED
    assert not record.follow_up
    assert record.violations == ()


def test_a_refused_poll_ends_the_task_as_it_ends_the_published_clients(walk: Walk) -> None:
    record = walk(TASK, poll("running", 0), CallFailed("GET task: status 500"))
    assert (record.outcome, record.polls) == (Outcome.FAILED, 1)


def test_a_task_that_runs_beyond_its_deadline(walk: Walk, generator: Generator) -> None:
    generator.scenario = replace(generator.scenario, task_deadline_s=0.3)
    record = walk(TASK, poll("running", 0))
    assert record.outcome is Outcome.TIMED_OUT
    assert record.elapsed_s >= 0.3
    assert record.task_s is None


def test_a_user_that_leaves(walk: Walk) -> None:
    record = walk(TASK, poll("running", 0), leaves_after=0.03)
    assert (record.outcome, record.leaver, record.error) == (Outcome.ABANDONED, True, "")


def test_a_leaver_whose_task_ends_first_has_stayed(walk: Walk) -> None:
    record = walk(TASK, poll("completed", 0), leaves_after=5.0)
    assert (record.outcome, record.leaver) == (Outcome.FINISHED, True)


def test_a_user_that_is_stopped_books_its_task(generator: Generator) -> None:
    caller = FakeCaller(generator, TASK, poll("running", 0))
    errand = errand_of(generator, time.perf_counter())
    user = gevent.spawn(TaskWalk(generator, caller, errand, generator.task_started()).walk)
    gevent.sleep(0.03)
    user.kill()
    (record,) = generator.metrics.take_records()
    assert record.outcome is Outcome.ABANDONED
    assert not record.is_sample
    assert generator.ended.total() == 1


@pytest.mark.parametrize(
    ("answers", "requirement"),
    [
        ((poll("running", 1, "a", "b"), poll("completed", 3, "b", "c")), ""),
        ((poll("running", 2, "a", "b"), poll("completed", 1, "c")), None),
        ((b'{"data": {"status": "running", "events": []}}',), "POLL-2"),
        ((poll("completed", 1, "a").replace(b"1,", b"1.0,"),), "POLL-3"),
        ((poll("completed", 3, "One chunk", "One chunk and", "One chunk and more"),), "POLL-6"),
    ],
    ids=["an offset of its own unit", "an offset may go back", "schema", "float", "cumulative"],
)
def test_what_the_polls_contradict_is_in_the_record(walk: Walk, answers: tuple[bytes, ...], requirement: str) -> None:
    record = walk(TASK, *answers)
    assert {broken for broken, _ in record.violations} == ({requirement} if requirement else set())


def test_what_a_server_merely_should_do_is_counted_apart_and_spoils_no_task(walk: Walk, generator: Generator) -> None:
    record = walk(TASK, poll("running", 2, "a", "b"), poll("running", 5), poll("completed", 6, "c"))
    generator.metrics.tick(1.0, 1)
    assert (record.outcome, record.violations) == (Outcome.FINISHED, ())
    assert (generator.metrics.total.missed, generator.metrics.broken) == ({"POLL-12": 1}, 0)


def test_reading_again_finds_a_log_that_was_rewritten(walk: Walk, generator: Generator) -> None:
    record = walk(TASK, poll("running", 1, "a"), poll("completed", 2, "b"), poll("completed", 2, "a", "B"), reread=True)
    assert record.outcome is Outcome.FINISHED
    assert [broken for broken, _ in record.violations] == ["POLL-5"]
    assert walk.requests[-1][0] is REREAD
    (evidence,) = generator.metrics.evidence["POLL-5"]
    assert len(evidence.exchanges) == 2


def test_reading_again_finds_nothing_in_a_right_log(walk: Walk) -> None:
    record = walk(TASK, poll("running", 1, "a"), poll("completed", 2, "b"), poll("completed", 2, "a", "b"), reread=True)
    assert record.violations == ()


def test_an_event_of_another_conversation_is_called(walk: Walk, generator: Generator) -> None:
    own, foreign = generator.markers.issue(1), generator.markers.issue(2)
    record = walk(TASK, poll("running", 1, f"you said {own.text}"), poll("completed", 2, foreign.text[2:6]))
    assert [broken for broken, _ in record.violations] == ["ISO-1"]


def test_a_token_that_the_server_repeats_is_in_no_evidence(walk: Walk, generator: Generator) -> None:
    record = walk(TASK, poll("completed", 1, "the-token"), poll("completed", 1, "the-token!"), reread=True)
    said = f"{record} {generator.metrics.evidence}"
    assert "[token]" in said
    assert "the-token" not in said
