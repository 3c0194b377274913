"""The proof on known capacity: plans of 14 servers, and of 7 with open arrivals, in virtual time."""

from __future__ import annotations

import pytest

from sendpoll.load.plan.settings import QUICK
from tests.load.plan.servers import KNOWN, KNOWN_OPEN, Planned, planned_known

SEEDS = 6


@pytest.fixture(scope="module", name="plans")
def _plans() -> dict[str, list[Planned]]:
    return {name: [planned_known(known, seed) for seed in range(SEEDS)] for name, known in KNOWN.items()}


@pytest.fixture(scope="module", name="quick_plans")
def _quick_plans() -> dict[str, list[Planned]]:
    return {name: [planned_known(known, seed, QUICK) for seed in range(SEEDS)] for name, known in KNOWN.items()}


def test_the_servers_hold_from_2_to_200_users() -> None:
    capacities = [known.capacity for known in KNOWN.values()]
    assert len(KNOWN) >= 10
    assert min(capacities) < 4
    assert max(capacities) > 190


def test_nine_of_ten_answers_are_within_a_tenth(plans: dict[str, list[Planned]]) -> None:
    close = [plan.is_close_to(KNOWN[name].capacity) for name, runs in plans.items() for plan in runs]
    assert sum(close) >= 0.9 * len(close)


def test_nine_of_ten_intervals_cover_the_truth(plans: dict[str, list[Planned]]) -> None:
    covered = [plan.covers(KNOWN[name].capacity) for name, runs in plans.items() for plan in runs]
    assert sum(covered) >= 0.9 * len(covered)


def test_on_nine_of_ten_servers_most_answers_are_within_a_tenth(plans: dict[str, list[Planned]]) -> None:
    good = [
        sum(plan.is_close_to(KNOWN[name].capacity) for plan in runs) > len(runs) / 2 for name, runs in plans.items()
    ]
    assert sum(good) >= 0.9 * len(good)


def test_intervals_are_not_bought_by_width(plans: dict[str, list[Planned]]) -> None:
    """Half of the plans end with an interval of at most 15 % to either side."""
    narrow = [plan.answer.capacity.ratio <= 1.3 for runs in plans.values() for plan in runs]
    assert sum(narrow) >= 0.5 * len(narrow)


def test_a_plan_keeps_within_its_twelve_minutes(plans: dict[str, list[Planned]]) -> None:
    assert max(plan.seconds for runs in plans.values() for plan in runs) <= 721


def test_a_quick_plan_takes_four_minutes_and_still_covers(quick_plans: dict[str, list[Planned]]) -> None:
    assert max(plan.seconds for runs in quick_plans.values() for plan in runs) <= 241
    covered = [plan.covers(KNOWN[name].capacity) for name, runs in quick_plans.items() for plan in runs]
    assert sum(covered) >= 0.9 * len(covered)


@pytest.fixture(scope="module", name="open_plans")
def _open_plans() -> dict[str, list[Planned]]:
    return {
        name: [planned_known(known, seed, arrivals=True) for seed in range(SEEDS)] for name, known in KNOWN_OPEN.items()
    }


def test_rates_are_as_close_and_as_honest(open_plans: dict[str, list[Planned]]) -> None:
    """Messages that do not wait for the server: its queue takes long to show, and long to go."""
    plans = [(KNOWN_OPEN[name].capacity, plan) for name, runs in open_plans.items() for plan in runs]
    assert sum(plan.is_close_to(truth) for truth, plan in plans) >= 0.9 * len(plans)
    assert sum(plan.covers(truth) for truth, plan in plans) >= 0.9 * len(plans)
    assert max(plan.seconds for _, plan in plans) <= 721
