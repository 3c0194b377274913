"""Marks betray an event that stands in another task, even in pieces."""

from __future__ import annotations

import random

from sendpoll.load.users.canaries import Markers


def test_the_own_mark_is_at_home_whole_or_in_pieces() -> None:
    markers = Markers(random.Random(1))
    own = markers.issue(conversation=1)
    assert markers.stranger(f"you said: {own.text}!", own) is None
    assert all(markers.stranger(own.text[start : start + 4], own) is None for start in range(5))
    assert own.is_in(f"you said: {own.text[3:6]}!")
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
