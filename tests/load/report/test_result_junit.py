from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.report.result_junit import junit
from sendpoll.load.results.compare import compare
from tests.load.made_up import SLOS, Run, broken_offset, metrics_of, result_of


def outcomes(result: Any) -> dict[str, str]:
    """Each case by its name, and what its child element makes of it."""
    root = ET.fromstring(junit(result))
    return {case.attrib["name"]: case[0].tag if len(case) else "passed" for case in root.iter("testcase")}


def test_each_objective_is_a_case() -> None:
    assert outcomes(
        result_of(metrics_of(Run(seconds=120, slos=["ttfe p95 <= 2s", "task p95 <= 1s", "errors <= 0.1%"])))
    ) == {
        "target reachable": "passed",
        "generator on time": "passed",
        "ttfe p95 <= 2s": "passed",
        "task p95 <= 1s": "failure",
        "errors <= 0.1%": "error",
        "violations = 0": "passed",
    }


def test_an_open_gate_that_is_accepted_is_not_red() -> None:
    result = result_of(metrics_of(Run(slos=["errors <= 0.1%"])))
    assert outcomes(result)["errors <= 0.1%"] == "error"
    result["exit_code"] = 0
    assert outcomes(result)["errors <= 0.1%"] == "skipped"


def test_in_an_invalid_run_no_gate_is_green_or_red() -> None:
    told = outcomes(result_of(metrics_of(Run()), problems=["the loop was late"]))
    assert told.pop("generator on time") == "error"
    assert told.pop("target reachable") == "passed"
    assert set(told.values()) == {"skipped"}


def test_an_unreachable_target_is_an_error_of_its_own() -> None:
    told = outcomes(result_of(Metrics(ServiceLevel.parse(SLOS)), unreachable="connection refused"))
    assert told.pop("target reachable") == "error"
    assert told.pop("generator on time") == "passed"
    assert set(told.values()) == {"skipped"}


def test_a_broken_requirement_is_red_even_in_an_invalid_run() -> None:
    metrics = metrics_of(Run())
    metrics.violation(broken_offset())
    metrics.tick(61, 1)
    told = outcomes(result_of(metrics, problems=["the loop was late"]))
    assert told["violations = 0"] == "failure"
    assert told["generator on time"] == "error"


def test_what_got_worse_is_red() -> None:
    old, new = result_of(metrics_of(Run(seed=1))), result_of(metrics_of(Run(seed=2, slower=1.6)))
    new["comparison"] = compare(old, new).as_json()
    assert outcomes(new)["ttfe p50"] == "failure"
    assert outcomes(new)["goodput"] == "passed"
