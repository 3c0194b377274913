from __future__ import annotations

import codecs
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.load.report.text import counted, interval, markdown, percent, plain, quantity, ratio, spelled_out


@given(st.text())
def test_a_foreign_text_stays_on_its_line_and_commands_no_terminal(text: str) -> None:
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e]", plain(text))
    assert len(plain(text)) <= 300


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\u001b[31mb"),
        ("one\ntwo", "one two"),
        ("abc\u202edef", "abc\\u202edef"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_control_characters_are_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    "text", ["a|b", "<b>x</b>", "![x](y)", "@team", "https://evil.example", "`x`", "www.evil.example"]
)
def test_markdown_is_taken_out_of_a_foreign_text(text: str) -> None:
    shown = markdown(text)
    assert not re.search(r"(?<!\\)[|`\[\]!]|<|>|@|://|www\.", shown)


def test_quantities_are_shown_in_their_unit() -> None:
    assert quantity(0.25, "s") == "250 ms"
    assert quantity(3.7, "") == "3.70"
    assert quantity(12.0, "") == "12"
    assert quantity(12345.6, "") == "12,346"
    assert quantity(None, "s") == "–"
    assert percent(0.1234) == "12.3%"
    assert percent(None) == "–"
    assert counted(1, "task") == "1 task"
    assert counted(2000, "task") == "2,000 tasks"


def test_an_open_end_of_an_interval_is_said() -> None:
    assert interval({"low": 1.0, "high": 2.0}, "s") == "1.00 s to 2.00 s"
    assert interval({"low": 1.0, "high": None}, "s") == "at least 1.00 s"
    assert interval({"low": None, "high": 2.0}, "s") == "at most 2.00 s"
    assert interval({"low": None, "high": None}, "s") == "too few to bound"
    assert interval(None, "s") == ""


def test_a_ratio_is_shown_with_its_interval() -> None:
    assert ratio({"ratio": 1.311, "low": 1.2, "high": None}) == "1.31x (1.20 to –)"
    assert ratio({"ratio": None, "low": None, "high": None}) == "–"


def test_what_a_stream_cannot_carry_is_spelled_out() -> None:
    codecs.register_error("spelled-out-for-the-test", spelled_out)
    assert "686 µs – 你…".encode("ascii", "spelled-out-for-the-test") == b"686 us - \\u4f60..."
    assert "686 µs – 你".encode("latin-1", "spelled-out-for-the-test") == b"686 \xb5s - \\u4f60"
