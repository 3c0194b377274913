"""The tolerant reader and the strict one say the same of the same bytes: there is one grammar."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.http.answers import CHUNKED, ROWS, START, Row, chunk, sized
from tests.core.http.readers import told_by_check, told_by_load

SHORT = [row for row in ROWS if len(row.raw) < 2000]
PIECES = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"0\r\n\r\n",
    b";",
    b": ",
    b" ",
    b"\t",
    b"\x7f",
    b"HTTP/1.1 ",
    b"chunked",
    b",",
    b"0",
]


def identify(row: Row) -> str:
    return row.name


def is_cut_early(row: Row) -> bool:
    return row.name in {"more than its length", "an empty chunk in the middle"}


def test_no_name_stands_twice() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_each_row_breaks_what_its_clients_showed(row: Row) -> None:
    wanted = {row.breaks} if row.breaks else set()
    by_check, body = told_by_check([row.raw], closes=row.closes)
    by_load, read = told_by_load([row.raw], closes=row.closes)
    assert (by_check, by_load) == (wanted, wanted)
    assert bool(row.breaks) == bool(row.clients)
    if row.plain is not None and row.closes:
        assert body == row.plain
    if row.plain is not None and not row.breaks:
        assert read == row.plain


@pytest.mark.parametrize("row", SHORT, ids=identify)
def test_a_row_breaks_the_same_byte_by_byte(row: Row) -> None:
    """What stands behind an answer is no part of it where it comes later: then both pass over it."""
    pieces = [bytes([byte]) for byte in row.raw]
    by_check, _ = told_by_check(pieces, closes=row.closes)
    by_load, _ = told_by_load(pieces, closes=row.closes)
    assert by_load == by_check
    assert by_load == ({row.breaks} if row.breaks and not is_cut_early(row) else set())


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A row with a few bytes taken out, put in or doubled."""
    raw = draw(st.sampled_from(SHORT)).raw
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(raw)))
        until = min(len(raw), at + draw(st.integers(0, 3)))
        raw = raw[:at] + draw(st.one_of(st.sampled_from(PIECES), st.binary(max_size=2))) + raw[until:]
    return raw


@settings(max_examples=300, deadline=None)
@given(mutated(), st.booleans(), st.lists(st.integers(0, 400), max_size=3))
@example(sized() + b"HTTP/1.1 200 OK\r\n\r\n", True, [])
@example(CHUNKED + chunk() + b"0\r\n\r\n" + chunk(), True, [])
@example(START, True, [])
def test_both_say_the_same_of_whatever_comes(raw: bytes, closes: bool, cuts: list[int]) -> None:
    """The strict one stops at the head's faults, or at a body's first: it finds none of its own, and none is green."""
    ends = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    pieces = [raw[a:b] for a, b in itertools.pairwise(ends) if a < b]
    by_check, _ = told_by_check(pieces, closes=closes)
    by_load, _ = told_by_load(pieces, closes=closes)
    assert by_load <= by_check
    assert bool(by_load) == bool(by_check)
