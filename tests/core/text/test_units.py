from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.core.text.units import (
    counted,
    exact_seconds,
    parse_seconds,
    percent,
    quantity,
    short_seconds,
    three_digits,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("2s", 2.0), ("1.5 min", 90.0), ("3m", 180.0), ("1h", 3600.0), ("250us", 0.00025), ("0s", 0.0)],
)
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert parse_seconds(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "2", "s", "-1s", "2 sek", "1e3s", "1s 2s", "２s", "∞s"])
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="such as 500ms"):
        parse_seconds(text)


@given(st.integers(0, 10**11))
def test_a_written_time_reads_back_to_the_microsecond(micros: int) -> None:
    assert round(parse_seconds(exact_seconds(micros / 1e6)) * 1e6) == micros


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 s"),
        (0.0000421, "42.1 µs"),
        (0.0841, "84.1 ms"),
        (0.9999, "1.00 s"),
        (2, "2.00 s"),
        (59.96, "60.0 s"),
        (90, "90.0 s"),
        (100, "1 min 40 s"),
        (120, "2 min"),
        (3600, "1 h"),
        (7500, "2 h 5 min"),
    ],
)
def test_a_time_is_shown_in_three_digits(seconds: float, shown: str) -> None:
    assert short_seconds(seconds) == shown


@pytest.mark.parametrize(
    ("value", "written"), [(0, "0"), (0.1254, "0.125"), (9.754, "9.75"), (1680.4, "1,680"), (123_456.7, "123,457")]
)
def test_a_count_is_written_without_an_exponent(value: float, written: str) -> None:
    assert three_digits(value) == written


def test_quantities_are_shown_in_their_unit() -> None:
    assert quantity(0.25, "s") == "250 ms"
    assert quantity(3.7, "") == "3.70"
    assert quantity(12.0, "") == "12"
    assert quantity(12345.6, "") == "12,346"
    assert quantity(None, "s") == "–"
    assert percent(0.1234) == "12.3%"
    assert percent(None) == "–"


def test_numbers_go_with_their_noun() -> None:
    assert [counted(count, "poll") for count in (0, 1, 2, 2000)] == ["0 polls", "1 poll", "2 polls", "2,000 polls"]
    assert counted(2, "reply", "replies") == "2 replies"
