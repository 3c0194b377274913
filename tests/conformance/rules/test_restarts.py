"""What a restart must not change, over hand-made tasks: each rule broken and kept."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sendpoll.conformance.rules.restarts import (
    LogRead,
    RestartFinding,
    TaskOverRestart,
    ended,
    known,
    not_anothers,
    not_begun_again,
    same,
    taken_or_gone,
)
from tests.conformance.exchanges import told

LOG = tuple({"type": "text_chunk", "data": {"content": text}} for text in "abcd")
OTHER = {"type": "text_chunk", "data": {"content": "x"}}


def read(*events: Any, status: int = 200) -> LogRead:
    return LogRead(events, "running", (told("pollTask", status=status),))


KEPT = TaskOverRestart(
    "t1", LOG, 4, "running", ran=True, resumed=told("pollTask"), shown=read(*LOG), final=read(*LOG, OTHER)
)
"""A task over a right restart."""


def broken(rule: Callable[[TaskOverRestart], Iterator[RestartFinding]], **changes: Any) -> list[str]:
    return [sentence for sentence, _ in rule(dataclasses.replace(KEPT, **changes)) if sentence is not None]


@pytest.mark.parametrize("rule", [known, same, ended, not_begun_again, not_anothers])
def test_a_task_that_goes_on_keeps_each_rule_and_could_have_broken_it(rule: Any) -> None:
    assert [sentence for sentence, _ in rule(KEPT)] == [None]


@pytest.mark.parametrize("status", [404, 410])
def test_a_forgotten_task_breaks_one_rule_alone(status: int) -> None:
    gone = {"resumed": told("pollTask", status=status), "shown": read(status=status), "final": read(status=status)}
    assert broken(known, **gone) == [f"task t1 had 4 events before the restart, and is answered {status} after it"]
    assert [broken(rule, **gone) for rule in (same, ended, not_begun_again, not_anothers)] == [[], [], [], []]


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (LOG[:2], "of 4 events that were served of task t1, 2 are there after the restart"),
        ((), "of 4 events that were served of task t1, 0 are there after the restart"),
        ((*LOG[:1], OTHER, *LOG[2:]), "event 1 of task t1 is another one after the restart than it was before"),
        ((LOG[0], *LOG), "event 1 of task t1 is another one after the restart than it was before"),
        (LOG[1:], "event 0 of task t1 is another one after the restart than it was before"),
    ],
)
def test_a_log_that_lacks_or_changes_what_was_served(now: tuple[Any, ...], sentence: str) -> None:
    assert broken(same, shown=read(*now)) == [sentence]
    assert broken(same, final=read(*now)) == [sentence]


def test_keys_beside_type_and_data_may_change() -> None:
    assert broken(same, shown=read(*({**event, "ts": 1} for event in LOG))) == []


def test_an_offset_from_before_that_is_refused() -> None:
    refused = told("pollTask", status=400)
    assert broken(same, resumed=refused) == ["from=4, which it gave out before the restart, is 400 after it"]


def test_what_the_oracle_found_since_is_told_where_nothing_else_is() -> None:
    found = [("status was completed and then failed: a final status must not change", ())]
    assert broken(same, contradictions=found) == [found[0][0]]
    assert len(broken(same, contradictions=found, shown=read(*LOG[:2]))) == 1


def test_a_task_that_is_left_running() -> None:
    (sentence,) = broken(ended, silent_for=120.0)
    assert sentence.startswith("task t1 ran when the server was restarted, and is left running: it has told nothing")


def test_a_task_that_was_over_says_nothing_of_running_ones() -> None:
    assert list(ended(dataclasses.replace(KEPT, ran=False))) == []


def test_a_log_that_begins_again_under_its_offsets() -> None:
    (sentence,) = broken(not_begun_again, shown=read(OTHER), final=read(OTHER, OTHER))
    assert sentence.startswith("from=4 is answered 200 after the restart")


def test_a_log_that_is_made_again_event_for_event_loses_nobody_anything() -> None:
    assert broken(not_begun_again, shown=read(*LOG[:1]), final=read(*LOG, OTHER)) == []


def test_a_refused_offset_misleads_nobody() -> None:
    assert broken(not_begun_again, resumed=told("pollTask", status=400), shown=read()) == []


def test_the_word_of_another_message() -> None:
    assert broken(not_anothers, foreign="sp01") == ["task t1 holds sp01 after the restart, the word of another message"]


@pytest.mark.parametrize(("status", "fine"), [(202, True), (404, True), (410, True), (500, False), (409, False)])
def test_ids_are_taken_or_gone(status: int, fine: bool) -> None:
    assert (taken_or_gone(told("sendMessage", status=status), "a message") is None) == fine
