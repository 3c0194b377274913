"""Rules over requests: each finds its fault, and lets every right way be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sendpoll.conformance.client.judging import rows, traffic
from sendpoll.conformance.client.judging.observation import SituationTally
from sendpoll.conformance.client.running.program import End
from tests.conformance.client.observations import TOKEN, message, observed, poll, ran, served, situation


def sentences(tally: SituationTally) -> list[str]:
    return [violation.sentence for violation in tally.violations]


def test_offsets_are_taken_from_the_answer_before() -> None:
    right = observed(poll(0, 7), poll(7, 12), poll(12, 12, events=0), poll(12, 40))
    assert traffic.offsets(right) == SituationTally(3, [])
    wrong = observed(poll(0, 7), poll(1, 12))
    assert sentences(traffic.offsets(wrong)) == ["It asked from=1 where from=7 was next."]
    assert "from=7.0" in sentences(traffic.offsets(observed(poll(0, 7), poll("7.0", 9))))[0]
    assert "where from=0" in sentences(traffic.offsets(observed(poll(1, 7))))[0]


def test_a_lost_poll_may_be_asked_again_from_where_it_was() -> None:
    assert not traffic.offsets(observed(poll(0, 7), poll(7, 9, ended="reset"), poll(7, 9))).violations
    assert not traffic.offsets(observed(poll(0, 7), poll(7, 9, done_at=3.0), poll(7, 9, at=3.1))).violations
    assert traffic.offsets(observed(poll(0, 7), poll(7, 9), poll(7, 9))).violations
    assert traffic.offsets(observed(poll(0, 7), poll(7, 9, ended="reset"), poll(9, 12))).violations


def test_the_first_poll_may_leave_the_offset_out() -> None:
    first = replace(poll(0, 7), request=replace(poll(0, 7).request, target="/api/v1/tasks/task-1"))
    assert traffic.offsets(observed(first, poll(7, 9))) == SituationTally(1, [])


def test_pauses_are_asked_for_where_nothing_was_new() -> None:
    def polls(gap: float, events: int) -> SituationTally:
        return traffic.pauses(observed(*(poll(0, 0, events, at=number * gap) for number in range(8))))

    assert polls(0.02, events=0).violations
    assert not polls(0.15, events=0).violations
    assert polls(0.02, events=1) == SituationTally(), "events bring the next poll on"


@pytest.mark.parametrize("first", [500, 503, 504, "reset", "hang"])
def test_a_message_that_may_have_been_taken_is_not_sent_again(first: int | str) -> None:
    once = message(document=first) if isinstance(first, int) else message(ended=first)
    assert traffic.message_once(observed(once, message())).violations
    assert not traffic.message_once(observed(once)).violations


@pytest.mark.parametrize("first", [409, 423, 425, 429])
def test_a_message_that_was_not_taken_may_be_sent_again(first: int) -> None:
    assert not traffic.message_once(observed(message(document=first), message())).violations


def test_the_token_stays_in_its_header() -> None:
    assert not traffic.token_kept(observed(poll(0, 1))).violations
    assert traffic.token_kept(observed(poll(f"0&token={TOKEN}", 1))).violations
    assert traffic.token_kept(observed(poll(0, 1), runs=(ran(words=f"Authorization: Bearer {TOKEN}"),))).violations


def test_a_request_is_as_http_and_the_api_have_it() -> None:
    assert not traffic.requests_right(observed(message(), poll(0, 1))).violations
    for index, told in enumerate(("0 Host headers", "no Authorization", "no media type")):
        one = message()
        headers = tuple(pair for at, pair in enumerate(one.request.headers) if at != index)
        wrong = replace(one, request=replace(one.request, headers=headers))
        assert told in sentences(traffic.requests_right(observed(wrong)))[0]
    assert "no JSON" in sentences(traffic.requests_right(observed(message('say "it"'))))[0]
    latin = replace(message(), request=replace(message().request, body='{"message": "é"}'.encode("latin-1")))
    assert "no UTF-8" in sentences(traffic.requests_right(observed(latin)))[0]
    assert traffic.requests_right(observed(unreadable=["the request line is 'x'"])).violations


def test_a_conversation_may_be_opened_without_a_body() -> None:
    assert not traffic.requests_right(
        observed(served("POST", "/api/v1/workspaces/judged/conversations", {}))
    ).violations


def test_ids_that_were_never_given_are_seen() -> None:
    assert traffic.made_up(observed(served("GET", "/api/v1/tasks/undefined?from=0", 404))) is not None
    assert traffic.made_up(observed(served("GET", "/api/v1/tasks/?from=0", 404))) is not None
    assert traffic.made_up(observed(poll(0, 1))) is None


FAILED = "title: it fails\njudges: [C-15]\nexpect: failure\ntask: {stages: [all failed]}\n"


def test_a_failure_is_told_by_the_exit_code_and_in_words() -> None:
    told = situation(FAILED, "failed")
    assert not rows.expected(observed(poll(0, 1), told=told, runs=(ran(code=1),))).violations
    assert rows.expected(observed(poll(0, 1), told=told, runs=(ran(code=0),))).violations
    assert rows.failed_in_words(observed(poll(0, 1), told=told, runs=(ran(shown="alpha"),))).violations
    assert not rows.failed_in_words(observed(told=told, runs=(ran(words="status: failed"),))).violations


def test_waiting_for_ever_is_told_with_the_patience() -> None:
    told = situation(FAILED, "failed")
    assert "--patience" in sentences(rows.gives_up(observed(told=told, runs=(ran(end=End.QUIET, code=None),))))[0]
    assert "without a word" in sentences(rows.gives_up(observed(told=told, runs=(ran(shown="", code=1),))))[0]
    assert not rows.gives_up(observed(told=told, runs=(ran(shown="", words="timed out", code=1),))).violations


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        ("error: the message was refused: 422", ""),
        ("422 Client Error for url: http://127.0.0.1:1/api/v1/workspaces/judged/messages", ""),
        ("sending failed: the request was refused under rule 7Q", ""),
        ("something went wrong", "the step nor the status"),
        ("sending failed", "the status or the words"),
        ("error 422", "tell the step"),
    ],
)
def test_a_refusal_is_told_with_its_step_and_its_reason(words: str, lacks: str) -> None:
    seen = observed(message(document=422), runs=(ran(shown="", words=words, code=1),))
    found = sentences(rows.names_the_step(seen))
    assert lacks in found[0] if lacks else not found
