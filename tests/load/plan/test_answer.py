from __future__ import annotations

from dataclasses import asdict

import pytest

from sendpoll.core.text.units import NOTHING
from sendpoll.load.measure.slo import ServiceLevel, parse_objective
from sendpoll.load.plan.answer import TierAnswer, sentence, shown
from sendpoll.load.plan.capacity import Capacity
from sendpoll.load.plan.outcome import EXIT_CODES, Conclusion, End, exit_code
from sendpoll.load.plan.settings import Settings, SettingsError, for_tasks
from sendpoll.load.plan.sizing import fleets
from sendpoll.load.report.phrases import replicas_between
from sendpoll.load.results.verdict import ExitCode

TASK = parse_objective("task p95 <= 30s")
SETTINGS = Settings(ServiceLevel([TASK]))
RATES = Settings(ServiceLevel([TASK]), arrivals=True)


def answer(capacity: Capacity) -> TierAnswer:
    return TierAnswer("", capacity, TASK if capacity.level else None, ((TASK, capacity),), None)


def test_every_end_has_an_exit_code_and_a_sentence_of_its_own() -> None:
    told = {
        end: sentence(answer(Capacity(48.6, 44.2, 53.9)), Conclusion(end, f"because {end}", ()), SETTINGS)
        for end in End
    }
    assert set(EXIT_CODES) == set(End)
    assert told[End.CONVERGED].startswith("The server holds 48 users within task p95 <= 30s (95 % interval 44 to 53)")
    assert len(set(told.values())) >= len(End) - 1


@pytest.mark.parametrize(
    ("end", "low", "high", "required", "code"),
    [
        (End.CONVERGED, 44.0, 53.0, None, ExitCode.PASS),
        (End.CONVERGED, 44.0, 53.0, 40.0, ExitCode.PASS),
        (End.CONVERGED, 44.0, 53.0, 48.0, ExitCode.INCONCLUSIVE),
        (End.CONVERGED, 44.0, 53.0, 60.0, ExitCode.SLO_FAILED),
        (End.BUDGET, 44.0, 53.0, None, ExitCode.INCONCLUSIVE),
        (End.BUDGET, 44.0, None, 40.0, ExitCode.PASS),
        (End.MAX_USERS_REACHED, 200.0, None, 300.0, ExitCode.INCONCLUSIVE),
        (End.GENERATOR_BOUND, 80.0, None, 100.0, ExitCode.INVALID),
        (End.SLO_UNREACHABLE, 0.0, 0.0, 1.0, ExitCode.SLO_FAILED),
        (End.SLO_UNREACHABLE, 0.0, 0.0, None, ExitCode.SLO_FAILED),
        (End.TARGET_UNHEALTHY, 20.0, 40.0, None, ExitCode.UNREACHABLE),
        (End.TARGET_UNHEALTHY, 20.0, 40.0, 10.0, ExitCode.PASS),
        (End.INTERRUPTED, 20.0, 40.0, None, ExitCode.INCONCLUSIVE),
    ],
)
def test_exit_codes(end: End, low: float, high: float | None, required: float | None, code: ExitCode) -> None:
    assert exit_code(end, low, high, required) is code


def test_levels_are_shown_as_whole_users_and_rates_in_three_digits() -> None:
    assert shown(48.999, SETTINGS) == "48"
    assert shown(3.14159, RATES) == "3.14"


def test_whole_users_are_held_and_rates_to_three_digits() -> None:
    assert SETTINGS.between(5, 6.9) in {5.9, 6.0}
    assert SETTINGS.between(32, 64) == 45
    assert RATES.between(3.2, 6.4) == 4.53
    assert SETTINGS.adjacent(5, 6)
    assert not SETTINGS.adjacent(32, 45)
    assert RATES.adjacent(3.0, 3.2)


def test_replicas_are_rounded_up_and_bounded_by_the_interval() -> None:
    row = fleets([1000], recommended=38, answer=48, low=44, high=53)[0]
    assert (row.replicas, row.with_spare) == (27, 28)
    assert row.fewest is not None
    assert row.most is not None
    assert row.fewest <= 27 <= row.most


@pytest.mark.parametrize(
    ("low", "high", "told"), [(44, None, "at most 29"), (0, 53, "at least 24"), (0, None, NOTHING)]
)
def test_an_end_that_the_interval_does_not_have_is_not_made_up(low: float, high: float | None, told: str) -> None:
    row = fleets([1000], recommended=38, answer=48, low=low, high=high)[0]
    assert replicas_between(asdict(row)) == told


@pytest.mark.parametrize("slos", [[], ["errors <= 1%"]])
def test_a_plan_needs_an_objective_with_a_limit(slos: list[str]) -> None:
    with pytest.raises(SettingsError, match="--slo 'task p95 <= 30s'"):
        Settings(ServiceLevel.parse(slos))


def test_a_plan_needs_a_minute() -> None:
    with pytest.raises(SettingsError, match="at least 1min"):
        Settings(ServiceLevel([TASK]), budget_s=30)


def test_objectives_on_polls_are_left_to_load_and_said_so() -> None:
    service, notes = for_tasks(ServiceLevel.parse(["task p95 <= 30s", "poll p99 <= 200ms"]))
    assert [one.metric for one in service.objectives] == ["task", "violations"]
    assert len(notes) == 1
    assert "poll p99 <= 200ms" in notes[0]
