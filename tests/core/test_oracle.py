"""The oracle against a model of a log: every right history passes, every single fault in one is called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from sendpoll.core.oracle import (
    Poll,
    TaskHistory,
    Violation,
    chunk_text,
    cumulative_chunk,
    essence,
    judge,
    same_event,
)
from tests.conformance.oracle_model import FAULTS, FINAL, Server, World, worlds


def chunk(text: object) -> dict[str, Any]:
    return {"type": "text_chunk", "data": {"content": text}}


def rows(violations: Sequence[Violation]) -> set[str]:
    return {violation.requirement for violation in violations}


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_every_right_history_passes(world: World) -> None:
    assert judge(world.polls) == ()


@settings(max_examples=100, deadline=None)
@given(worlds())
def test_what_is_told_of_a_right_history_is_true(world: World) -> None:
    history = TaskHistory()
    for poll in sorted(world.polls, key=lambda poll: poll.received_at):
        assert history.observe(poll) == ()
    assert history.log == world.log
    assert (history.is_final, history.status) == (True, FINAL)
    assert set(history.offsets) <= {world.server.offset(place) for place in range(len(world.log) + 1)}
    assert not history.counts_events or set(history.offsets) <= set(range(len(world.log) + 1))


@pytest.mark.parametrize("name", FAULTS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(data=st.data())
def test_every_single_fault_is_called(name: str, data: st.DataObject) -> None:
    """Under its row; one of the two polls has the fault, or asked with the offset that the faulty one gave."""
    make, expected = FAULTS[name]
    world = data.draw(worlds())
    faulty = [(place, made) for place, poll in enumerate(world.polls) if (made := make(world, poll)) is not None]
    assume(faulty)
    place, made = data.draw(st.sampled_from(faulty))
    violations = judge([*world.polls[:place], made, *world.polls[place + 1 :]])
    assert rows(violations) & expected
    blamed = [poll for violation in violations for poll in violation.polls]
    assert any(poll.number == made.number or poll.asked == made.next_offset for poll in blamed)


@settings(max_examples=100, deadline=None)
@given(worlds(), st.data())
def test_each_violation_names_two_polls_of_the_history(world: World, data: st.DataObject) -> None:
    make, _ = data.draw(st.sampled_from(list(FAULTS.values())))
    changed = [make(world, poll) or poll for poll in world.polls]
    known = {poll.number: poll for poll in changed}
    for violation in judge(changed):
        assert len(violation.polls) == 2
        for poll in violation.polls:
            assert (poll.asked, poll.next_offset) == (known[poll.number].asked, known[poll.number].next_offset)
        assert violation.sentence
        assert "\n" not in violation.sentence


@settings(max_examples=40, deadline=None)
@given(worlds(), st.randoms())
def test_the_order_in_which_polls_are_handed_over_does_not_matter(world: World, random: Any) -> None:
    shuffled = list(world.polls)
    random.shuffle(shuffled)
    assert judge(shuffled) == ()


def poll(asked: int, events: Sequence[Any], following: int | None, status: str = "running", at: float = 0.0) -> Poll:
    return Poll(asked, at, at + 0.1, status, events, following)


def test_an_offset_that_was_never_given_out_claims_nothing() -> None:
    assert judge([poll(0, [chunk("a")], 1), poll(77, [chunk("z")], 78, FINAL, at=1.0)]) == ()


def test_cursors_that_go_down_are_right_where_they_lead_to_the_rest() -> None:
    """An offset is a name for a position, and no client compares two of them."""
    cursors = (0, 901, 17, 400)
    polls = [poll(cursors[at], [chunk(str(at))], cursors[at + 1], at=at / 2) for at in range(3)]
    again = [poll(cursors[at], [chunk(str(place)) for place in range(at, 3)], 400, FINAL, at=2) for at in range(4)]
    history = TaskHistory()
    assert [history.observe(answered) for answered in (*polls, *again)] == [()] * 7
    assert (history.offsets, history.end_offset, history.offsets_grow) == (cursors, 400, False)


def test_a_cursor_that_leads_back_is_called() -> None:
    down = [poll(0, [chunk("a")], 9), poll(9, [chunk("b")], 4, at=0.5), poll(4, [chunk("b")], 4, FINAL, at=1)]
    assert rows(judge(down)) == {"POLL-5"}


@pytest.mark.parametrize("first", [1, 1000])
def test_a_log_may_begin_at_another_offset_than_0(first: int) -> None:
    assert judge([poll(0, [], first), poll(first, [chunk("a")], first + 1, FINAL, at=0.5)]) == ()


WHOLE = [chunk(text) for text in "abcdef"]


def _read_at_its_pace() -> list[Poll]:
    """A task that one client reads to its end, which comes after 1.6 s."""
    first, second = poll(0, WHOLE[:2], 2), poll(2, WHOLE[2:4], 4, at=0.5)
    return [first, second, poll(4, [], 4, at=1), poll(4, WHOLE[4:], 6, FINAL, at=1.5)]


@pytest.mark.parametrize(
    "late",
    [
        pytest.param(poll(0, WHOLE[4:], 6, FINAL, at=9), id="the first events are gone"),
        pytest.param(poll(0, [], 6, FINAL, at=9), id="all of them are"),
        pytest.param(poll(2, WHOLE[5:], 6, FINAL, at=9), id="gone behind an offset of long ago"),
        pytest.param(poll(0, WHOLE[3:4], 4, at=1.2), id="a ring of events while the task runs"),
    ],
)
def test_events_that_are_gone_for_who_comes_late_are_no_loss(late: Poll) -> None:
    history = sorted([*_read_at_its_pace(), late], key=lambda answered: answered.received_at)
    assert rows(judge(history)) == {"POLL-13"}


@pytest.mark.parametrize(
    "soon",
    [
        pytest.param(poll(2, WHOLE[3:4], 4, at=0.6), id="behind an offset that was just given"),
        pytest.param(poll(4, WHOLE[5:], 6, FINAL, at=1.55), id="at the very end"),
    ],
)
def test_events_that_are_gone_at_the_pace_of_the_clients_are_lost(soon: Poll) -> None:
    history = sorted([*_read_at_its_pace(), soon], key=lambda answered: answered.received_at)
    assert rows(judge(history)) == {"POLL-5"}


@pytest.mark.parametrize("kept", [2, 0])
def test_a_late_reader_may_be_the_first_to_see_the_end(kept: int) -> None:
    """What it got of the log can only be placed once somebody else has come as far."""
    history = TaskHistory()
    assert history.observe(poll(0, WHOLE[:1], 1, at=1)) == ()
    assert history.observe(poll(0, WHOLE[6 - kept :], 6, FINAL, at=9)) == ()
    assert history.set_aside == 1
    assert rows(history.observe(poll(1, WHOLE[1:], 6, FINAL, at=10))) == {"POLL-13"}
    assert (history.set_aside, history.conclude()) == (0, ())


def test_an_end_that_comes_soon_may_have_let_go_of_what_was_read() -> None:
    """Who reads it again has come late, however soon that is; one client alone has read it already."""
    first, last = poll(0, WHOLE[:2], 2), poll(2, WHOLE[2:], 6, FINAL, at=0.5)
    again = poll(0, WHOLE[4:], 6, FINAL, at=0.45)
    assert rows(judge([first, again, last])) == {"POLL-13"}
    assert rows(judge([first, again._replace(status="running"), last])) == {"POLL-5"}


def test_a_late_answer_that_fits_nowhere_is_another_log() -> None:
    history = TaskHistory()
    history.observe(poll(0, WHOLE[:1], 1, at=1))
    history.observe(poll(0, [chunk("of another"), *WHOLE[5:]], 6, FINAL, at=9))
    assert rows(history.observe(poll(1, WHOLE[1:], 6, FINAL, at=10))) == {"POLL-5"}


def test_a_late_answer_of_an_end_that_nobody_else_saw_is_judged_at_last() -> None:
    history = TaskHistory()
    history.observe(poll(0, WHOLE[:1], 1, at=1))
    history.observe(poll(0, WHOLE[4:], 6, FINAL, at=9))
    assert rows(history.conclude()) == {"POLL-5"}


def test_what_comes_late_and_is_another_is_rewritten_and_not_gone() -> None:
    other = poll(0, [chunk("x"), *WHOLE[1:]], 6, FINAL, at=9)
    assert rows(judge([*_read_at_its_pace(), other])) == {"POLL-5"}


def test_a_running_poll_that_was_under_way_when_the_task_ended_is_no_flap() -> None:
    end = Poll(0, 1.0, 1.5, FINAL, [chunk("a")], 1)
    slow = Poll(0, 0.0, 2.0, "running", [], 0)
    assert judge([end, slow]) == ()


def test_a_page_of_a_server_that_pages_is_no_flap() -> None:
    pages = [poll(0, [chunk("a")], 1), poll(1, [chunk("b")], 2, FINAL, at=1), poll(0, [chunk("a")], 1, at=2)]
    assert judge(pages) == ()


def test_a_server_that_ends_on_no_event_is_no_flap() -> None:
    first, last = poll(0, [chunk("a")], 1), poll(1, [], 1, FINAL, at=1)
    assert judge([first, last, poll(0, [chunk("a")], 1, at=2), poll(1, [], 1, FINAL, at=3)]) == ()


def test_whole_answers_that_run_on_after_an_answer_with_events_was_final_are_a_flap() -> None:
    """Such a server neither pages nor ends on no event."""
    whole = [poll(0, [chunk("a")], 1, FINAL), poll(0, [chunk("a")], 1, at=1)]
    assert [(found.requirement, found.rule) for found in judge(whole)] == [("POLL-7", "flap")]


def test_keys_of_the_servers_own_may_vary() -> None:
    assert judge([poll(0, [{**chunk("a"), "read": 1}], 1), poll(0, [{**chunk("a"), "read": 2}], 1, at=1)]) == ()


def test_a_poll_without_a_usable_offset_claims_only_its_events() -> None:
    assert judge([poll(0, [chunk("a")], None), poll(0, [chunk("a"), chunk("b")], 2, at=1)]) == ()
    assert rows(judge([poll(0, [chunk("a")], None), poll(0, [chunk("x")], 1, at=1)])) == {"POLL-5"}


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        (["a", "c"], "gap"),
        (["a", "b", "a", "b"], "repeat"),
        (["b", "a", "c"], "order"),
        (["a", "x", "c"], "rewrite"),
    ],
)
def test_the_kind_of_difference_is_named(given: list[str], rule: str) -> None:
    whole = poll(0, [chunk(text) for text in "abcd"], 4)
    (found,) = judge([whole, poll(0, [chunk(text) for text in given], 4, at=1)])
    assert (found.requirement, found.rule, found.polls[0].events) == ("POLL-5", rule, whole.events)


@pytest.mark.parametrize(
    "texts",
    [
        ["你", "你好", "你好，世", "你好，世界"],
        ["I", "I am", "I am here"],
        ["The answer", " is", "The answer is forty-two"],
        ["", "a", "ab", "abc", "abcd"],
    ],
)
def test_cumulative_text_is_called(texts: list[str]) -> None:
    events = [chunk(text) for text in texts]
    polls = [poll(index, [event], index + 1, at=index) for index, event in enumerate(events)]
    assert rows(judge(polls)) == {"POLL-6"}
    assert cumulative_chunk(events) is not None


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["ha", "haha"],
        ["a", "a", "a", "a", "a", "a"],
        ["1", "12", "3", "34"],
        ["no, ", "no, ", "no, "],
        ["the ", "then ", "there ", "other"],
        ["abc", "abc"],
        [None, 5, "a", "ab"],
    ],
)
def test_increments_that_resemble_each_other_are_not(texts: list[object]) -> None:
    assert cumulative_chunk([chunk(text) for text in texts]) is None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("abc你", min_size=1, max_size=5), min_size=4, max_size=12))
def test_any_text_sent_as_a_growing_whole_is_called(words: list[str]) -> None:
    wholes = ["".join(words[: index + 1]) for index in range(len(words))]
    assert cumulative_chunk([chunk(whole) for whole in wholes]) is not None


GARBAGE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "data", "content", "x", "\ud800"]), inner, max_size=3)
    ),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            Poll,
            asked=st.integers(-2, 6),
            sent_at=st.floats(),
            received_at=st.floats(),
            status=st.sampled_from(["running", "completed", "failed", "", "(None)"]),
            events=st.lists(GARBAGE, max_size=4),
            next_offset=st.one_of(st.none(), st.integers(-2, 6), st.integers()),
        ),
        max_size=12,
    )
)
def test_no_history_makes_it_raise(polls: list[Poll]) -> None:
    for violation in judge(polls):
        assert violation.sentence


def test_an_event_nested_too_deeply_to_compare_does_not_make_it_raise() -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    assert judge([poll(0, [deep], 1), poll(0, [[deep]], 1, at=1)]) == ()


@given(GARBAGE, GARBAGE)
def test_events_are_the_same_if_what_clients_read_is(one: Any, other: Any) -> None:
    assert same_event(one, one)
    assert same_event(one, other) == (essence(one) == essence(other))


@given(GARBAGE)
def test_what_a_client_prints_of_an_event_is_text_or_nothing(event: Any) -> None:
    text = chunk_text(event)
    assert text is None or (event["type"], event["data"]["content"]) == ("text_chunk", text)


def test_what_is_kept_of_a_long_history_is_bounded() -> None:
    """Each reader from 0 gets the whole log, and the log is kept once."""
    events = [chunk(str(index)) for index in range(5000)]
    history = TaskHistory()
    for at in range(50):
        assert history.observe(poll(0, list(events), 5000, at=at)) == ()
    kept = {id(shown) for shown in history._shown_by}
    assert len(kept) == 1
    assert history._shown_by[0].events == ()


def test_offsets_that_count_events_are_noticed() -> None:
    counting, opaque = World(Server()), World(Server(steps=(7, 3)))
    for world, counts in ((counting, True), (opaque, False)):
        for number in range(3):
            world.append(chunk(str(number)))
            world.poll("eager")
        history = TaskHistory()
        for answered in world.polls:
            history.observe(answered)
        assert history.counts_events is counts
