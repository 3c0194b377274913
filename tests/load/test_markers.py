"""Marks betray an event that stands in another task, even in pieces."""

from __future__ import annotations

import random

from sendpoll.load.markers import Markers


def test_the_own_mark_is_at_home_whole_or_in_pieces() -> None:
    markers = Markers(random.Random(1))
    mark = markers.issue(owner=1)
    assert markers.foreign(f"you said: {mark}!", owner=1) is None
    assert all(markers.foreign(mark[start : start + 4], owner=1) is None for start in range(5))


def test_a_mark_of_another_conversation_is_a_stranger() -> None:
    markers = Markers(random.Random(1))
    own, foreign = markers.issue(owner=1), markers.issue(owner=2)
    piece = markers.foreign(f"{own} and {foreign}", owner=1)
    assert piece is not None
    assert piece in foreign


def test_any_aligned_piece_of_four_betrays_one() -> None:
    """Servers cut their answers into pieces; each whole piece of a mark is enough, wherever the cut begins."""
    markers = Markers(random.Random(1))
    markers.issue(owner=1)
    text = f"what I was told: [{markers.issue(owner=2)}]"
    for start in range(4):
        pieces = [text[at : at + 4] for at in range(start, len(text), 4)]
        assert any(markers.foreign(piece, owner=1) for piece in pieces)


def test_syllables_that_nobody_sent_accuse_nobody() -> None:
    markers = Markers(random.Random(1))
    markers.issue(owner=2)
    assert markers.foreign("ꀀꀁꀂꀃ ordinary text 你好 ꁁ", owner=1) is None


def test_only_recent_marks_are_remembered() -> None:
    markers = Markers(random.Random(1))
    first = markers.issue(owner=1)
    for _ in range(20_001):
        markers.issue(owner=2)
    assert markers.foreign(first, owner=3) is None
    assert len(markers._owners) < 200_000
