"""No text of a stranger acts where it is shown, and each can be read."""

from __future__ import annotations

import re
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sendpoll.core.text.safe import encodable, markdown, markdown_code, one_line, visible

_ANY = st.text(st.characters(exclude_categories=[]))
_INVISIBLE = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2800\u3164\ufe00\uffa0\U000e0100\U000e01ef"


@given(_ANY)
def test_what_is_shown_is_printable_and_can_be_encoded(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable()
    assert not set(shown) & set(_INVISIBLE)
    assert encodable(shown, "ascii").isascii()
    shown.encode()


@given(_ANY)
def test_to_make_visible_twice_is_to_make_visible_once(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def test_every_character_without_a_shape_of_its_own_is_written_as_its_code() -> None:
    shapeless = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)) in shapeless:
            assert visible(chr(code)).isascii(), hex(code)
    assert all(visible(character).startswith("\\") for character in _INVISIBLE)


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters=_INVISIBLE)))
def test_readable_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x9b\x07\r\n\x00\x7f", r"\u001b[2J\u009b\u0007\r\n\u0000\u007f"),
        ("a\u202eb\u2066\u200f\u2028\u061c", r"a\u202eb\u2066\u200f\u2028\u061c"),
        ("\ud83d", r"\ud83d"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("\U000e0041\U000e0042", r"\U000e0041\U000e0042"),
        ("👩🏽\u200d🚀", "👩🏽\\u200d🚀"),
        ("❤\ufe0f ⚠\ufe0f", "❤\ufe0f ⚠\ufe0f"),
        ("❤\ufe0f\ufe0f", "❤\ufe0f\\ufe0f"),
        ("a\ufe0f", "a\\ufe0f"),
        ("non\xa0breaking", "non\\u00a0breaking"),
        ("完。Café", "完。Café"),
    ],
)
def test_what_acts_or_hides_is_written_as_its_code(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_line_ends_may_be_kept() -> None:
    assert visible("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\u001b"


@given(_ANY, st.integers(4, 60))
def test_a_long_text_is_cut_and_says_so(text: str, limit: int) -> None:
    shown = one_line(text, limit)
    assert "\n" not in shown
    assert ("characters ...]" in shown) is (len(text) > limit or "characters ...]" in text)


def test_what_a_stream_cannot_carry_is_spelled_out() -> None:
    assert encodable("686 µs – 你…", "ascii") == "686 us - \\u4f60..."
    assert encodable("686 µs – 你", "latin-1") == "686 µs - \\u4f60"
    assert encodable("686 µs – 你…", "utf-8") == "686 µs – 你…"
    assert encodable("…", None) == "..."


@given(_ANY)
def test_in_markdown_any_text_is_shown_as_it_is_and_on_one_line(text: str) -> None:
    shown = markdown(text, 100)
    assert "\n" not in shown
    assert not set(shown) & set("|<>`*_[]\\")
    assert not re.search(r"://|www\.", shown)


@pytest.mark.parametrize(
    "text", ["a|b", "<b>x</b>", "![x](y)", "@team", "https://evil.example", "`x`", "www.evil.example", "~~x~~", "#1"]
)
def test_mentions_links_and_images_are_not_made(text: str) -> None:
    page = str(
        MarkdownIt("commonmark", {"html": True}).enable("table").render(f"| a |\n|---|\n| {markdown_code(text)} |")
    )
    assert not re.search(r"<(a|img|script|strong|em|b|s)\b", page)
