"""The report of a client follows its schema, whatever the client did, and has no secret in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

from sendpoll.conformance.client.client_report import Run, build_report
from sendpoll.conformance.client.judging.judge import judge
from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.core.reports.files import require_schema
from tests.conformance.client.observations import TOKEN, message, observed, poll, ran, situation


def report(*observations: Observation) -> dict[str, Any]:
    run = Run("python client.py", TOKEN, datetime(2026, 1, 1, tzinfo=UTC), 1.0)
    made = cast("dict[str, Any]", build_report(observations, judge(observations), run, Judgement()))
    require_schema(made, "report.json", "report.json")
    return made


def row(made: dict[str, Any], identifier: str) -> dict[str, Any]:
    return next(row for row in made["requirements"] if row["id"] == identifier)


def test_a_rule_that_is_broken_everywhere_is_told_in_bounds() -> None:
    """By steps that differ in all but their numbers, and in more situations than a row has room for."""
    polls = [poll(number, number + 2) for number in range(200)]
    seen = [observed(*polls, told=situation(name=f"s-{number}")) for number in range(150)]
    violations = row(report(observed(*polls), *seen), "C-7")["violations"]
    assert sum(violation["count"] for violation in violations) == 151 * 199
    assert len(violations) <= 100


def test_a_client_that_asks_for_nothing_is_told_with_its_last_words() -> None:
    made = report(observed(runs=(ran("", "Traceback\nImportError: httpx", code=1),)))
    assert (made["verdict"], made["exit_code"]) == ("undetermined", 3)
    assert "ended with exit code 1, and said: ImportError: httpx" in made["summary"]
    assert {row["verdict"] for row in made["requirements"]} == {"not_exercised"}


def test_the_token_is_in_nothing() -> None:
    seen = observed(message(), poll(f"0&token={TOKEN}", 1), runs=(ran(f"alpha,beta. {TOKEN}", TOKEN),))
    assert TOKEN not in str(report(seen))


def test_halves_of_pairs_and_control_characters_can_be_reported() -> None:
    made = report(observed(poll(0, 1), runs=(ran("\ud83d\x00\x1b[2J", "\udfff"),)))
    assert row(made, "C-1")["verdict"] == "fail"


def test_what_was_left_running_is_noted() -> None:
    assert report(observed(poll(0, 2)))["notes"] == []
    left = replace(ran(), left=2)
    assert "2 in all, were ended" in report(observed(poll(0, 2), runs=(left,)))["notes"][0]
