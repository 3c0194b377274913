from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sendpoll.conformance.reporting.text import encodable, one_line, plural, visible

_ANY = st.text(st.characters(exclude_categories=[]))


@given(_ANY)
def test_what_is_shown_is_printable_and_can_be_encoded(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert encodable(shown, "ascii").isascii()
    shown.encode()


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_readable_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_what_acts_on_a_terminal_or_on_the_reading_order_is_escaped() -> None:
    assert visible("\x1b[2J\x9b\x07\r\n\x00") == r"\x1b[2J\x9b\x07\r\n\x00"
    assert visible("a\u202eb\u2066\u200f\u2028") == r"a\u202eb\u2066\u200f\u2028"
    assert visible("\ud83d") == r"\ud83d"


def test_line_ends_may_be_kept() -> None:
    assert visible("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


@given(_ANY, st.integers(4, 60))
def test_a_long_text_is_cut_and_says_so(text: str, limit: int) -> None:
    shown = one_line(text, limit)
    assert "\n" not in shown
    assert ("characters ...]" in shown) is (len(text) > limit or "characters ...]" in text)


def test_numbers_go_with_their_noun() -> None:
    assert [plural(count, "poll") for count in (0, 1, 2)] == ["0 polls", "1 poll", "2 polls"]
