"""What options change in a scenario."""

from __future__ import annotations

import pytest

from sendpoll.load.scenario.distribution import Distribution, Exponential, Fixed
from sendpoll.load.scenario.options import Overrides, parse_rate, scenario_with
from sendpoll.load.scenario.scenario import ScenarioError
from sendpoll.load.scenario.scenario_json import ShapeKind
from sendpoll.load.scenario.shape import PoissonArrivals


def test_without_options_a_scenario_is_what_its_file_says() -> None:
    assert scenario_with("smoke", Overrides()) == scenario_with("smoke", Overrides())
    assert scenario_with("smoke", Overrides()).shape.users == 5


def test_plain_values_are_replaced() -> None:
    changed = scenario_with("smoke", Overrides(users=9, duration="7s", pacing="grid", poll_interval="250ms"))
    assert (changed.shape.users, changed.shape.duration_s) == (9, 7.0)
    assert (changed.pacing, changed.poll_interval_s) == ("grid", 0.25)


@pytest.mark.parametrize(("text", "waited"), [("3s", Exponential(3.0)), ("0s", Fixed(0.0))])
def test_think_time_is_a_mean_or_nothing(text: str, waited: Distribution) -> None:
    assert scenario_with("smoke", Overrides(think=text)).think_time == waited


@pytest.mark.parametrize("shape", ["steady", "ramp", "soak", "step", "spike"])
def test_a_shape_is_asked_for_by_its_name_alone(shape: ShapeKind) -> None:
    changed = scenario_with("smoke", Overrides(shape=shape, users=30, duration="60s"))
    assert (changed.shape.kind, changed.shape.users, changed.shape.duration_s) == (shape, 30, 60.0)


@pytest.mark.parametrize("users", [1, 2, 3])
def test_few_users_make_a_shape_too(users: int) -> None:
    for shape in ("ramp", "step", "spike"):
        assert scenario_with("smoke", Overrides(shape=shape, users=users)).shape.users == users


def test_arrivals_are_a_shape() -> None:
    changed = scenario_with("chat", Overrides(arrivals="90/min", users=40))
    assert changed.shape == PoissonArrivals(users=40, duration_s=300, rate=1.5)


@pytest.mark.parametrize(("text", "rate"), [("3/s", 3.0), ("0.5", 0.5), ("120/min", 2.0), ("36/h", 0.01)])
def test_rates_have_units(text: str, rate: float) -> None:
    assert parse_rate(text) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (Overrides(arrivals="fast"), "3/s"),
        (Overrides(arrivals="0/s"), "3/s"),
        (Overrides(arrivals="3/s", shape="spike"), "--shape"),
        (Overrides(shape="arrivals"), "--arrivals"),
        (Overrides(duration="soon"), "soon"),
        (Overrides(think="long"), "long"),
        (Overrides(poll_interval="0s"), "poll_interval"),
        (Overrides(slos=("ttfe fast",)), "ttfe fast"),
    ],
)
def test_bad_options_are_named_with_the_mend(overrides: Overrides, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        scenario_with("smoke", overrides)
