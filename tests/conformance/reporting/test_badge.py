from __future__ import annotations

import json

import pytest

from sendpoll.conformance.reporting.badge import badge
from tests.conformance.reporting.sample import conformant_report, sample_report


def test_a_conformant_server_has_a_green_badge() -> None:
    told = json.loads(badge(conformant_report()))
    expected = {"schemaVersion": 1, "label": "send-and-poll", "message": "conformant", "color": "brightgreen"}
    assert told == expected


def test_a_failing_server_has_a_red_badge_that_counts() -> None:
    told = json.loads(badge(sample_report()))
    assert (told["message"], told["color"]) == ("4 MUST and 1 SHOULD failed", "red")


def test_an_undetermined_run_is_never_green() -> None:
    told = json.loads(badge(conformant_report() | {"verdict": "undetermined"}))
    assert (told["message"], told["color"]) == ("undetermined", "lightgrey")


@pytest.mark.parametrize("verdict", ["nonconformant", "undetermined"])
def test_only_the_runs_verdict_makes_it_green(verdict: str) -> None:
    assert "green" not in badge(conformant_report() | {"verdict": verdict})
