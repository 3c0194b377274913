from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.reference_server.agents.redaction import Redactor, redacted

KEY = "sk-abcabcabd"
PIECES = st.lists(st.text("sk-abcd ", max_size=30), max_size=12)


def passed(pieces: list[str], key: str = KEY) -> str:
    redactor = Redactor(key)
    return "".join(map(redactor.feed, pieces)) + redactor.end()


@given(PIECES)
def test_what_is_passed_on_does_not_depend_on_the_cuts(pieces: list[str]) -> None:
    assert passed(pieces) == passed(["".join(pieces)])
    assert KEY not in passed(pieces)


@given(PIECES, PIECES, st.integers(0, len(KEY)))
def test_a_key_is_found_wherever_it_is_cut(before: list[str], after: list[str], cut: int) -> None:
    assert KEY not in passed([*before, KEY[:cut], KEY[cut:], *after])


@given(st.lists(st.text(), max_size=12))
def test_other_text_is_passed_on_whole(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert passed(pieces, "no such key 0123") == text


def test_what_may_still_become_the_key_is_held_and_nothing_else() -> None:
    redactor = Redactor(KEY)
    assert [redactor.feed(piece) for piece in ("x sk-abc", "abc", "abd y", "s")] == ["x ", "", "[key] y", ""]
    assert redactor.end() == "s"


def test_most_of_a_key_at_the_end_is_not_told_either() -> None:
    assert passed(["x ", KEY[:-1]]) == "x [key]"


@pytest.mark.parametrize("key", ["", "none", "ollama"])
def test_a_placeholder_for_a_key_is_a_word_that_an_answer_may_hold(key: str) -> None:
    assert passed(["there is none like ollama"], key) == "there is none like ollama"


def test_in_an_error_even_a_short_key_is_taken_out_as_a_word() -> None:
    assert redacted("key abc is not valid, abcd is, (abc)", "abc") == "key [key] is not valid, abcd is, ([key])"
