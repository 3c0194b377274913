"""When a server wants to be asked again, in every form that it may say so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sendpoll.core.http.retry_after import is_date, retry_after

NOW = datetime(1994, 11, 6, 8, 49, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("37", 37.0),
        (" 0 ", 0.0),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 37.0),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 37.0),
        ("Sun Nov  6 08:49:37 1994", 37.0),
        ("Sun, 06 Nov 1994 08:49:60 GMT", 59.0),
        ("Sun, 06 Nov 1994 08:40:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("\xb2", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49:37 GMT" + " " * 5000 + "x", None),
    ],
)
def test_seconds_to_wait(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, now=NOW) == seconds


def test_absurd_numbers_are_bounded() -> None:
    year = 365 * 86400
    assert retry_after(str(3 * year)) == 3 * year
    told = retry_after("9" * 5000)
    assert told is not None
    assert 9 * year < told < 1e10


def test_a_date_counts_from_the_answers_own() -> None:
    """The clocks of two machines differ; what a server means is what its own says."""
    value, date = "Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:30 GMT"
    assert retry_after(value, date=date, now=NOW) == 7.0


def test_a_date_is_told_from_a_number() -> None:
    assert is_date("Sun, 06 Nov 1994 08:49:37 GMT")
    assert not any(map(is_date, ("37", "", None, "soon")))
