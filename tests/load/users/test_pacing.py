"""When polls are due."""

from __future__ import annotations

import pytest

from sendpoll.load.users.pacing import GridPacing, LoopPacing


def test_the_loop_sleeps_after_each_answer() -> None:
    pacing = LoopPacing(0.5)
    assert pacing.next_after(10.2) == (10.7, ())
    assert pacing.next_after(15.0) == (15.5, ())


def test_the_grid_is_kept_whatever_the_answers_take() -> None:
    pacing = GridPacing(sent_at=10.0, interval=0.5)
    assert pacing.next_after(10.1) == (10.5, [])
    assert pacing.next_after(10.9) == (11.0, [])
    assert pacing.next_after(11.01) == (11.5, [])


def test_a_poll_missed_during_an_answer_is_made_up_for_at_once() -> None:
    pacing = GridPacing(sent_at=10.0, interval=0.5)
    assert pacing.next_after(10.7) == (10.5, [])
    assert pacing.next_after(10.8) == (11.0, [])


def test_of_several_missed_polls_the_first_is_made_up_for_and_the_others_fall_out() -> None:
    pacing = GridPacing(sent_at=10.0, interval=0.5)
    due, missed = pacing.next_after(12.1)
    assert due == 10.5
    assert missed == pytest.approx([11.0, 11.5, 12.0])
    assert pacing.next_after(12.2) == (12.5, [])
