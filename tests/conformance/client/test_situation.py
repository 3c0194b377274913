"""Situations: each file is right, every row has some, and a misspelt one is told with its place."""

from __future__ import annotations

import pytest

from sendpoll.conformance.client.judging.shown import lack
from sendpoll.conformance.client.situations.situation import (
    CONTROL,
    Expectation,
    Situation,
    SituationError,
    load_situations,
    parse_situation,
)
from sendpoll.schemas.catalogue import Subject, load_catalogue

SITUATIONS = load_situations()


def name(situation: Situation) -> str:
    return situation.name


def test_every_row_is_judged_by_a_situation() -> None:
    judged = {row for situation in SITUATIONS for row in situation.judges} | {"C-34"}
    assert {row.id for row in load_catalogue(Subject.CLIENT).checked} - judged == set()


def test_the_control_comes_first() -> None:
    assert SITUATIONS[0].name == CONTROL
    assert SITUATIONS[0].faults == ()


@pytest.mark.parametrize("situation", SITUATIONS, ids=name)
def test_a_situation_can_be_met_rightly(situation: Situation) -> None:
    """Its answer is told apart from all else, also where each chunk is a line of its own."""
    for player in situation.players:
        assert lack(player.chunks, f"you: {player.message}\n{''.join(player.chunks)}\n") == ""
        assert lack(player.chunks, "".join(player.chunks)[:-1]) != ""


@pytest.mark.parametrize("situation", SITUATIONS, ids=name)
def test_a_task_comes_to_its_end(situation: Situation) -> None:
    assert situation.stages[-1][1] != "running"
    assert all(status == "running" for _, status in situation.stages[:-1])
    counts = [count for count, _ in situation.stages]
    assert counts == sorted(counts)


@pytest.mark.parametrize("situation", [one for one in SITUATIONS if one.expect is Expectation.ANSWER], ids=name)
def test_a_client_that_tries_a_poll_once_more_gets_through(situation: Situation) -> None:
    """No two polls in a row are lost: whoever repeats a GET once is right."""
    losing = [fault for fault in situation.faults if fault.call == "pollTask" and {"end", "status"} & fault.do.keys()]
    hit = [number for fault in losing for number in range(fault.first, min(fault.last, 50) + 1)]
    assert not any(number + 1 in hit for number in hit)


RIGHT = "title: a poll is reset\njudges: [C-24]\nexpect: answer\nfaults: [{at: poll 2, end: reset}]\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RIGHT.replace("expect: answer", "expect: luck"), "x.yaml: expect: 'luck' is not one of"),
        (RIGHT.replace("title", "titel"), "x.yaml: the file:"),
        (RIGHT.replace("C-24", "C-240"), "x.yaml: judges: client_requirements.yaml has no row C-240"),
        (RIGHT.replace("poll 2", "pol 2"), "x.yaml: faults/0/at:"),
        (RIGHT.replace("end: reset", "end: explode"), "x.yaml: faults/0/end:"),
        (f"{RIGHT}task: {{offsets: [1, 2]}}\n", "x.yaml: task/offsets: 5 events need 6 of them"),
        ("- [", "x.yaml is no YAML"),
        ("", "x.yaml: the file:"),
    ],
)
def test_a_fault_of_a_file_is_told(text: str, told: str) -> None:
    with pytest.raises(SituationError) as raised:
        parse_situation(text, "x")
    assert str(raised.value).startswith(told)


@pytest.mark.parametrize(
    ("at", "hit"), [("poll", [1, 2, 9]), ("poll 2", [2]), ("poll 2 to 3", [2, 3]), ("poll 2 on", [2, 3, 9])]
)
def test_a_fault_says_which_calls_it_is_about(at: str, hit: list[int]) -> None:
    (fault,) = parse_situation(RIGHT.replace("poll 2", at), "x").faults
    assert [number for number in (1, 2, 3, 9) if fault.hits("pollTask", number) and number in (*hit, 1, 2, 3, 9)] == (
        [1, 2, 3, 9] if at == "poll" else hit
    )
    assert not fault.hits("sendMessage", hit[0])
