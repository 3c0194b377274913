"""The overlap of messages is to blame only for what befalls other messages less often."""

from __future__ import annotations

import random
from math import comb

import pytest

from sendpoll.load.users.overlap_test import Contrast, Symptom, _tail

ENDED = Symptom("ended")
DEAF = Symptom("is not repeated", tolerated=0.01)


def contrast_of(others: int) -> Contrast:
    contrast = Contrast()
    for _ in range(others):
        contrast.note(None, overlaps=False)
    return contrast


def test_what_befalls_overlapping_messages_alone_is_called_once_chance_is_out_of_the_question() -> None:
    contrast = contrast_of(90)
    called = [contrast.note(ENDED, overlaps=True) for _ in range(6)]
    assert called == [False, False, True, True, True, True]
    assert contrast.told(ENDED) == "6 of 6 messages that overlapped with another, and none of the 90 others"


def test_what_befalls_all_messages_alike_is_no_fault_of_the_overlap() -> None:
    contrast = Contrast()
    for _ in range(100):
        contrast.note(ENDED, overlaps=False)
        assert not contrast.note(ENDED, overlaps=True)


def test_a_few_others_that_are_hit_excuse_nothing() -> None:
    contrast = contrast_of(200)
    contrast.note(ENDED, overlaps=False)
    assert [contrast.note(ENDED, overlaps=True) for _ in range(20)][-1]


def test_where_all_messages_overlap_nothing_can_be_told() -> None:
    contrast = Contrast()
    assert not any(contrast.note(ENDED, overlaps=True) for _ in range(50))


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_fault_that_hits_all_alike_is_not_blamed_on_the_overlap(share: float) -> None:
    """200 servers that answer so many of 1,500 messages with an error; a third of the messages overlap."""
    source = random.Random(4)
    for _ in range(200):
        contrast = Contrast()
        for _ in range(1500):
            symptom = ENDED if source.random() < share else None
            assert not contrast.note(symptom, overlaps=source.random() < 0.33)


def test_a_habit_that_not_all_messages_meet_proves_nothing() -> None:
    contrast = contrast_of(100)
    for _ in range(5):
        contrast.note(DEAF, overlaps=False)
    assert not any(contrast.note(DEAF, overlaps=True) for _ in range(100))


def test_the_chance_is_that_of_the_hypergeometric_distribution() -> None:
    exact = sum(comb(12, hits) * comb(38, 20 - hits) for hits in range(9, 13)) / comb(50, 20)
    assert _tail(9, 12, 20, 50) == pytest.approx(exact)
    assert _tail(12, 12, 12, 12) == 1.0
