"""Marks betray an event that stands in another task, even in pieces."""

from __future__ import annotations

import random
from collections import deque

from sendpoll.load.users.canaries import LENGTH, LETTERS, REMEMBERED, WIDTH, Mark, Markers, may_hold_mark


def test_the_own_mark_is_at_home_whole_or_in_pieces() -> None:
    markers = Markers(random.Random(1))
    own = markers.issue(conversation=1)
    assert markers.stranger(f"you said: {own.text}!", own) is None
    assert all(markers.stranger(own.text[start : start + 4], own) is None for start in range(5))
    assert own.is_in(f"you said: {own.text[3:7]}!")
    assert not own.is_in("you said: nothing")


def test_a_mark_of_another_conversation_is_a_stranger() -> None:
    markers = Markers(random.Random(1))
    own, foreign = markers.issue(conversation=1), markers.issue(conversation=2)
    assert markers.stranger(f"{own.text} and {foreign.text}", own) == foreign
    assert markers.stranger(f"{own.text} and {foreign.text}", foreign) == own


def test_an_answer_may_quote_what_was_said_before_and_nothing_that_is_said_later() -> None:
    markers = Markers(random.Random(1))
    earlier, own, later = (markers.issue(conversation=1) for _ in range(3))
    assert markers.stranger(earlier.text, own) is None
    assert markers.stranger(later.text, own) == later


def test_any_aligned_piece_of_four_betrays_one() -> None:
    """Servers cut their answers into pieces; each whole piece of a mark is enough, wherever the cut begins."""
    markers = Markers(random.Random(1))
    own = markers.issue(conversation=1)
    text = f"what I was told: [{markers.issue(conversation=2).text}]"
    for start in range(4):
        pieces = [text[at : at + 4] for at in range(start, len(text), 4)]
        assert any(markers.stranger(piece, own) for piece in pieces)


def test_syllables_that_nobody_sent_accuse_nobody() -> None:
    markers = Markers(random.Random(1))
    markers.issue(conversation=2)
    own = markers.issue(conversation=1)
    assert markers.stranger("ꀀꀁꀂꀃ ordinary text 你好 ꁁ", own) is None


def test_only_recent_marks_are_remembered() -> None:
    markers = Markers(random.Random(1))
    first = markers.issue(conversation=1)
    for _ in range(20_001):
        last = markers.issue(conversation=2)
    assert markers.stranger(first.text, last) is None
    assert len(markers._owners) < 200_000


def test_no_echo_is_taken_for_anothers_by_chance() -> None:
    """The expected false alarms in ten million tasks with a thousand in flight, as the union of all chances."""
    pieces = LENGTH - WIDTH + 1
    chance = pieces * pieces * 1000 / len(LETTERS) ** WIDTH
    assert chance * 1e7 < 1e-3
    forgotten = 10 * pieces * pieces * REMEMBERED / len(LETTERS) ** WIDTH
    assert forgotten * 1e7 < 0.1


def test_a_hundred_thousand_echoes_with_a_thousand_in_flight_raise_no_alarm() -> None:
    markers = Markers(random.Random(3))
    flying: deque[Mark] = deque()
    for number in range(100_000):
        flying.append(markers.issue(number))
        if len(flying) > 1000:
            own = flying.popleft()
            assert markers.stranger(f"you said [{own.text}] hello [{own.text}]", own) is None


def test_a_body_that_can_hold_no_mark_is_known_at_a_glance() -> None:
    mark = Markers(random.Random(1)).issue(1).text
    assert may_hold_mark(mark.encode())
    assert may_hold_mark(b'"\\u3400"')
    assert all(may_hold_mark(letter.encode()) for letter in LETTERS[::97])
    assert not may_hold_mark(b"plain text")
    assert not may_hold_mark("grün, naïve, ж".encode())
