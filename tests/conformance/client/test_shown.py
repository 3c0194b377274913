"""What counts as an answer that is shown: the rule is what a person reads, not how a program prints."""

from __future__ import annotations

import pytest

from sendpoll.conformance.client.judging.shown import lack

CHUNKS = ("alpha-7,", "beta-8,", "gamma-9.")


@pytest.mark.parametrize(
    "output",
    [
        "alpha-7,beta-8,gamma-9.",
        "assistant: alpha-7,beta-8,gamma-9.\nstatus: completed\n",
        "alpha-7,\nbeta-8,\ngamma-9.\n",
        "alpha-7,\r\nbeta-8,\r\ngamma-9.\r\n",
        "> alpha-7,\n> beta-8,\n> gamma-9.\n",
        "[12:00:01] alpha-7,\n[12:00:02] polling\n[12:00:02] beta-8,\n[12:00:03] gamma-9.\n",
        'CONV=c1\n{"workspace_id": "w"}alpha-7,beta-8,gamma-9.\n',
        "\x1b[1mAnswer\x1b[0m\n\x1b[32malpha-7,\x1b[0mbeta-8,gamma-9.\x1b[0m\n",
        "\r⠋ waiting\r⠙ waiting\ralpha-7,\r⠹ waiting\rbeta-8,gamma-9.",
        "|\b/\b-\b\balpha-7,beta-8,gamma-9.",
        "alpha-7, beta-8, gamma-9.",
    ],
)
def test_a_person_reads_the_answer(output: str) -> None:
    assert lack(CHUNKS, output) == ""


@pytest.mark.parametrize(
    ("output", "told"),
    [
        ("", "ends before it"),
        ("alpha-7,beta-8,", "did not show chunk 3 of 3"),
        ("alpha-7,gamma-9.", "did not show chunk 2 of 3"),
        ("beta-8,alpha-7,gamma-9.", "out of its order"),
        ("alpha-7,beta-8,gamma-9.\nalpha-7,beta-8,gamma-9.", "twice"),
        ("alpha-7,\nalpha-7,beta-8,\nalpha-7,beta-8,gamma-9.", "twice"),
        ("alpha-7,...beta-8,gamma-9.", '"..." in the midst of it'),
        ("alpha-7,Nonebeta-8,gamma-9.", '"None" in the midst of it'),
        ("alpha-7,\nnull\nbeta-8,\ngamma-9.", "'null' within the answer"),
        ("'alpha-7,''beta-8,''gamma-9.'", "in the midst of it"),
    ],
)
def test_what_is_wrong_is_told(output: str, told: str) -> None:
    assert told in lack(CHUNKS, output)


def test_white_space_between_words_is_not_lost() -> None:
    chunks = ("first", " ", "second ", "third", "\n", "  indented")
    assert lack(chunks, "first second third\n  indented") == ""
    assert lack(chunks, "first\n \nsecond \nthird\n\n\n  indented\n") == ""
    assert "lost white space" in lack(chunks, "firstsecond third\n  indented")
    assert "lost white space" in lack(chunks, "first second third  indented")


def test_lines_may_be_wrapped_at_spaces_but_not_joined() -> None:
    assert lack(("one two three\nfour",), "one two\nthree\nfour") == ""
    assert lack(("one two three\nfour",), "one two three four") != ""


def test_marks_belong_to_the_letter_before_them() -> None:
    chunks = ("caf", "e", "\u0301 ", "👩🏽", "\u200d🚀")
    assert lack(chunks, "cafe\u0301 👩🏽\u200d🚀") == ""
    assert lack(chunks, "café 👩🏽\u200d🚀") == "", "canonically the same"
    assert "did not show" in lack(chunks, "caf\ne\n\u0301 \n👩🏽\n\u200d🚀\n")
    assert "did not show" in lack(chunks, "cafe\ufffd 👩🏽\u200d🚀")


def test_the_text_of_another_event_is_no_part_of_the_answer() -> None:
    told = lack(CHUNKS, "alpha-7,\na foreign thought\nbeta-8,\ngamma-9.", foreign=["a foreign thought"])
    assert "of an event that is no text_chunk" in told
    assert lack(CHUNKS, "alpha-7,\n[thought] a foreign thought\nbeta-8,\ngamma-9.", foreign=["a foreign thought"]) == ""


def test_a_long_answer_is_looked_through_at_once() -> None:
    chunks = [f"{number}: one of many," for number in range(3000)]
    assert lack(chunks, "".join(chunks)) == ""
    assert "did not show chunk 3000" in lack(chunks, "".join(chunks[:-1]))
