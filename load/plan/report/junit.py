"""JUnit XML of a plan: a case for the target, the generator, the required load, and each objective."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.core.reports.junit import TestCase, TestSuite
from sendpoll.load.plan.plan_json import Plan

_GROUP = "sendpoll.plan"


def plan_junit(result: Plan) -> str:
    """The document. What is not known to be good is red."""
    properties = {
        "target": result["target"]["base_url"],
        "scenario": result["scenario"]["name"],
        "workload_digest": result["workload_digest"],
        "end": result["end"],
    }
    return TestSuite("sendpoll plan", tuple(_cases(result)), properties).xml()


def _cases(result: Plan) -> Iterator[TestCase]:
    sentence, end = result["sentence"], result["end"]
    broken = result["verdict"] == "unreachable"
    yield TestCase(_GROUP, "target healthy", "error" if broken else "passed", sentence if broken else "")
    bound = result["verdict"] == "invalid"
    told = sentence if bound else ""
    yield TestCase(_GROUP, "generator sufficed", "error" if bound else "passed", told, seconds=result["seconds"])
    required = result["settings"]["required"]
    name = "plan" if required is None else f"holds {required:g} {result['unit']}"
    outcomes = {"pass": "passed", "fail": "failure"}
    if outcomes.get(result["verdict"]) == "passed":
        yield TestCase(_GROUP, name)
    elif outcomes.get(result["verdict"]) == "failure":
        yield TestCase(_GROUP, name, "failure", sentence)
    else:
        yield TestCase(_GROUP, name, "error", f"{end}: {sentence}")
