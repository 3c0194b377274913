"""Whole runs against right servers with limits, as proxies, limiters, scarce agents and short tokens set them.

A published client, two polls a second and one task at a time, meets none of them; so no MUST row may fail.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.suite_run import check
from sendpoll.core.target.target import Target, Timeouts
from sendpoll.core.target.traits import Traits, declared_traits
from sendpoll.core.validation import validator
from tests.conformance.limited import (
    BusyElsewhere,
    Firewall,
    Forgetful,
    Guard,
    LeakyBucket,
    OneAtATime,
    ShortToken,
    Window,
    limited,
)
from tests.conformance.reference import OTHER_TOKEN, TOKEN


def run(url: str, *only: str, run_seconds: float = 300.0, **changes: Any) -> Any:
    target = Target(base_url=url, token=TOKEN, second_token=OTHER_TOKEN, timeouts=Timeouts(run=run_seconds))
    target = replace(target, **changes)
    report = check(target, RunOptions(7, 4, frozenset(only)), Judgement(only=frozenset(only)))
    validator("files/report.json").validate(report)
    return report


def verdicts(report: Any, *wanted: str) -> dict[str, str]:
    return {row["id"]: row["reason"] for row in report["requirements"] if row["verdict"] in wanted}


def red(report: Any) -> list[str]:
    return [row["id"] for row in report["requirements"] if row["verdict"] == "fail" and row["level"] == "MUST"]


def trait(report: Any, name: str) -> str:
    found = next((trait for trait in report["traits"] if trait["name"] == name), None)
    return f"{found['sentence']} ({found['evidence']})" if found else ""


@pytest.mark.parametrize(
    ("guard", "told"),
    [
        pytest.param(lambda: LeakyBucket(60, 40), "answered 503", id="a bare 503"),
        pytest.param(lambda: LeakyBucket(60, 40, 429), "answered 429", id="a bare 429"),
        pytest.param(lambda: Window(150, 2), "Retry-After in seconds", id="Retry-After in seconds"),
        pytest.param(lambda: Window(150, 2, as_date=True), "Retry-After as a date", id="Retry-After as a date"),
    ],
)
def test_a_limit_of_requests_is_kept_to_and_told(guard: Callable[[], Guard], told: str) -> None:
    with limited(guard()) as url:
        report = run(url)
    assert verdicts(report, "fail", "inconclusive") == {}
    assert told in trait(report, "requests_per_second")
    assert report["exit_code"] == 0, report["summary"]


@pytest.mark.parametrize(
    ("guard", "name", "told"),
    [
        (
            OneAtATime,
            "tasks_at_once.workspace",
            "one task at a time per workspace, more are refused with 409",
        ),
        (
            lambda: OneAtATime(by_workspace=False, status=429),
            "tasks_at_once.all",
            "one task at a time in all, more are refused with 429",
        ),
        (
            lambda: OneAtATime(most=2, by_workspace=False, status=503),
            "tasks_at_once.all",
            "2 tasks at a time in all, more are refused with 503",
        ),
    ],
)
def test_a_limit_of_tasks_is_kept_to_and_told_with_its_evidence(
    guard: Callable[[], Guard], name: str, told: str
) -> None:
    with limited(guard()) as url:
        report = run(url)
    assert verdicts(report, "fail", "inconclusive") == {}
    assert told in trait(report, name), report["traits"]
    assert "while task" in trait(report, name)
    assert report["exit_code"] == 0, report["summary"]


def test_an_agent_that_is_busy_for_somebody_else_is_waited_for() -> None:
    """As with the task that an earlier run left: no task of this run runs, so that none says when it is over."""
    with limited(BusyElsewhere(4.0)) as url:
        report = run(url, "MSG-1", "POLL-8", "CONV-1")
    assert (report["exit_code"], verdicts(report, "fail", "inconclusive")) == (0, {})


def test_an_agent_that_stays_busy_for_somebody_else_is_told_and_judged_by_nothing() -> None:
    with limited(BusyElsewhere(300.0)) as url:
        report = run(url, timeouts=Timeouts(task=2.0, run=60.0))
    assert (report["exit_code"], verdicts(report, "fail", "inconclusive")) == (3, {})
    assert "as by an agent that is busy, though no task of this run runs, for 4 s" in report["summary"]


def test_a_server_that_runs_one_task_at_a_time_ends_them_all_in_turn() -> None:
    """Each takes longer than the patience of a task that stands still, and those behind it wait several times that."""
    with limited(slots=1, chunks=20, chunk_interval=0.1) as url:
        report = run(url, "POLL-9", "POLL-8", timeouts=Timeouts(task=1.5, run=300))
    assert verdicts(report, "fail", "inconclusive", "not_exercised") == {}


def test_a_firewall_that_refuses_one_client_is_no_wrong_token() -> None:
    with limited(Firewall("python-requests")) as url:
        report = run(url, "REQ-4", "REQ-8", "WS-3")
    assert red(report) == ["REQ-4"]
    (row,) = [row for row in report["requirements"] if row["id"] == "REQ-4"]
    assert "as requests writes it" in row["violations"][0]["sentence"]


def test_a_token_that_is_wrong_is_refused_in_every_form() -> None:
    with limited() as url:
        report = run(url, "REQ-4", token="wrong")
    assert (report["exit_code"], red(report)) == (3, [])
    assert "refused the token with 401" in report["summary"]


def test_a_token_that_expires_is_told_and_judges_nothing() -> None:
    with limited(ShortToken(1.5)) as url:
        report = run(url)
    assert report["exit_code"] == 3
    assert verdicts(report, "fail") == {}
    assert "it has expired" in report["summary"]
    assert "token_command" in report["summary"]


def test_a_server_that_serves_one_page_alone_is_judged_as_that_page_meets_it() -> None:
    rows = ("CORS-1", "CORS-2", "CORS-5", "CORS-6")
    with limited(cors_origins=("https://app.example",)) as url:
        own, other = run(url, *rows, origin="https://app.example"), run(url, *rows)
    assert verdicts(own, "fail", "inconclusive", "not_exercised") == {}
    assert "CORS-2" in red(other)


def test_a_server_that_forgets_a_task_soon_after_its_end_breaks_no_client() -> None:
    with limited(Forgetful(2.0)) as url:
        report = run(url)
    assert red(report) == []
    assert "s after its end" in trait(report, "offsets")


def test_what_is_declared_is_kept_to_from_the_start() -> None:
    guard = OneAtATime(by_workspace=False)
    declared = declared_traits({"tasks_at_once": {"all": 1}, "requests_per_second": 200})
    with limited(guard) as url:
        report = run(url, "POLL-8", traits=declared)
    assert red(report) == []
    assert "one task at a time in all" in trait(report, "tasks_at_once.all")
    assert report["requests"] / report["duration_s"] <= 210


def test_a_run_without_time_ends_with_the_command_that_finishes_it() -> None:
    with limited(slots=1, chunks=20, chunk_interval=0.3) as url:
        report = run(url, run_seconds=12)
    assert (report["exit_code"], red(report)) == (3, [])
    assert "QUEUE-1" in report["unfinished"]["rows"]
    assert "--only QUEUE-1" in report["unfinished"]["command"]
    assert "--deadline" in report["unfinished"]["command"]


def test_nothing_declared_is_nothing_kept_to() -> None:
    assert Target().traits == Traits()


def test_a_log_tells_early_how_long_a_slow_agent_will_take() -> None:
    """In a pipe, where pytest would keep what is written while its tests run."""
    with limited(slots=1, chunks=20, chunk_interval=0.3) as url:
        words = ["check", url, "--token", TOKEN, "--deadline", "20"]
        ran = subprocess.run(
            [sys.executable, "-m", "sendpoll.cli.main", *words],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert ran.returncode == 3
    assert "tasks take about" in ran.stderr
    assert "(more: --deadline" in ran.stderr
    assert "] tasks: " in ran.stderr
    assert f"sendpoll.cli.main check {url}" in ran.stdout or f"sendpoll check {url}" in ran.stdout
