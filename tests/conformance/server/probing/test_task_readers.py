"""A recorded task keeps what later polls can contradict, and no more than that however long it is polled."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from sendpoll.conformance.http.exchange import Exchange, Failure
from sendpoll.conformance.http.limits import HELD_LIMIT
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.endings import RunOverError
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.probing.task_readers import RecordedTask, read_rest, undisturbed
from sendpoll.core.target.target import Target, Timeouts
from tests.conformance.exchanges import polled


class Said:
    """An API that gives one prepared answer after another."""

    def __init__(self, answers: Iterator[Exchange], run: float = 60.0) -> None:
        self.recorder = Recorder(Target(timeouts=Timeouts(run=run)))
        self._answers = answers

    def poll(self, _: str, __: object, **___: object) -> Exchange:
        return next(self._answers)


def numbered(answer: Callable[[int], dict[str, Any]]) -> Iterator[Exchange]:
    """Polls, each with a number of its own."""
    for number in itertools.count(1):
        exchange = polled(**answer(number))
        yield Exchange(number, exchange.request, exchange.response, exchange.timing)


def task() -> RecordedTask:
    return RecordedTask(
        task_id="t", conversation="c", kind="plain", marker="marker", message="message", shape="curl", sent_at=0.0
    )


def chunk(text: object) -> dict[str, Any]:
    return {"type": "text_chunk", "data": {"content": str(text)}}


def read(recorded: RecordedTask, api: Said, asked: Iterator[int], polls: int) -> None:
    for offset in itertools.islice(asked, polls):
        recorded.poll(cast(Api, api), offset, "reader")


def test_contradictions_beyond_the_first_are_counted() -> None:
    recorded = task()
    said = Said(numbered(lambda number: {"next_offset": 1, "events": [chunk(number)]}))
    read(recorded, said, itertools.repeat(0), 100)
    assert (len(recorded.contradictions), recorded.uncounted) == (20, {"POLL-5": 79})
    assert all(len(found.exchanges) == 2 for found in recorded.contradictions)


def test_many_of_one_kind_do_not_hide_another() -> None:
    def answer(number: int) -> dict[str, Any]:
        if number > 59:
            return {"status": f"over{number}", "next_offset": 1, "events": []}
        return {"next_offset": 1, "events": [chunk(number)]}

    recorded = task()
    read(recorded, Said(numbered(answer)), itertools.chain(itertools.repeat(0, 59), itertools.repeat(1)), 61)
    assert {found.violation.requirement for found in recorded.contradictions} >= {"POLL-5", "POLL-7"}


def test_polls_without_news_are_not_kept() -> None:
    recorded = task()
    read(recorded, Said(numbered(lambda _: {"next_offset": 0, "events": []})), itertools.repeat(0), 50)
    assert (recorded.polls, len(recorded._exchanges)) == (50, 0)


def test_exchanges_are_kept_for_later_contradictions_in_bounds() -> None:
    recorded = task()
    growing = Said(numbered(lambda number: {"next_offset": number, "events": [chunk(number)]}))
    read(recorded, growing, itertools.count(), 400)
    assert (len(recorded.history.log), len(recorded._exchanges)) == (400, 300)
    recorded.poll(cast(Api, Said(iter([polled(next_offset=1, events=[chunk("other")])]))), 0, "late")
    (found,) = recorded.contradictions
    assert [exchange.number for exchange in found.exchanges] == [1]


def test_a_task_that_grows_without_limit_is_read_no_further() -> None:
    recorded = task()
    large = "x" * (HELD_LIMIT // 20)
    api = Said(numbered(lambda number: {"next_offset": number, "events": [chunk(f"{number}{large}")]}))
    read(recorded, api, itertools.count(), 20)
    assert api.recorder.is_full
    assert recorded.unusable is not None
    assert len(recorded.history.log) < 15


def test_an_answer_that_comes_behind_the_deadline_is_not_judged() -> None:
    recorded = task()
    with pytest.raises(RunOverError):
        read(recorded, Said(numbered(lambda _: {}), run=1e-9), itertools.repeat(0), 1)
    assert recorded.polls == 0


def test_a_text_is_held_against_others_only_once_it_was_read_to_its_end() -> None:
    """Else what a lost connection, or the end of the run, left of an echo would seem to lack characters."""
    recorded = task()
    answers = [polled(status=status, next_offset=1, events=[chunk("a")]) for status in ("running", "completed")]
    read(recorded, Said(iter(answers)), itertools.repeat(0), 1)
    assert undisturbed([recorded]) == []
    read(recorded, Said(iter(answers[1:])), itertools.repeat(0), 1)
    assert undisturbed([recorded]) == [recorded]


def test_what_is_left_of_a_log_is_unknown_where_a_poll_was_not_answered() -> None:
    first = polled(next_offset=1, events=[chunk("a")])
    cut = replace(first, response=None, failure=Failure.CLOSED)
    last = polled(next_offset=1, events=[])
    assert read_rest(cast(Api, Said(iter([first, last]))), task(), 0) == [chunk("a")]
    assert read_rest(cast(Api, Said(iter([first, cut]))), task(), 0) is None
