from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.conformance.reporting.axis import multiples, round_step, time_axis

_MOMENTS = st.lists(
    st.tuples(st.floats(0, 1000), st.floats(0, 40)).map(lambda pair: (pair[0], pair[0] + pair[1])), max_size=30
)


def test_a_long_pause_is_left_out() -> None:
    axis = time_axis([(0.0, 0.1), (1.0, 1.1), (90.0, 90.1), (91.0, 91.1)], 0, 1000)
    assert len(axis.breaks) == 1
    assert axis.at(1.1) < axis.breaks[0] < axis.at(90.0)
    assert axis.at(90.0) - axis.at(1.1) < 40
    assert axis.at(91.1) == 1000


def test_a_short_pause_stays() -> None:
    assert time_axis([(0.0, 0.1), (1.4, 1.5)], 0, 1000).breaks == ()


def test_a_long_poll_is_no_pause() -> None:
    assert time_axis([(0.0, 20.0), (20.1, 40.0)], 0, 1000).breaks == ()


@given(_MOMENTS)
def test_moments_stand_in_their_order_and_inside(moments: list[tuple[float, float]]) -> None:
    axis = time_axis(moments, 44, 946)
    places = [axis.at(moment) for moment in sorted({moment for pair in moments for moment in pair})]
    assert places == sorted(places)
    assert all(44 <= place <= 946.1 for place in places)
    ticks = [tick.at for tick in axis.ticks(6)]
    assert all(after - before >= 48 for before, after in itertools.pairwise(ticks))
    assert len(ticks) <= 20


@pytest.mark.parametrize(("rough", "step"), [(0.9, 1), (1.0, 1), (1.1, 2), (3, 5), (6, 10), (70, 100), (0.03, 0.05)])
def test_steps_are_round(rough: float, step: float) -> None:
    assert round_step(rough, 0.001) == pytest.approx(step)


def test_multiples_lie_within() -> None:
    assert list(multiples(0.5, 0.9, 2.0)) == [1.0, 1.5, 2.0]
