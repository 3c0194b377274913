"""JUnit XML of a load run: a case an objective, one for the target and one for the generator."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.core.reports.junit import TestCase, TestSuite
from sendpoll.load.report.phrases import ratio
from sendpoll.load.results.result_json import GateTold, LoadResult

_GROUP = "sendpoll.load"


def junit(result: LoadResult) -> str:
    """The document. What is not known to be good is red: only a gate that passed in a valid run is a passed case."""
    properties = {
        "target": result["target"]["base_url"],
        "scenario": result["scenario"]["name"],
        "workload_digest": result["workload_digest"],
        "verdict": result["verdict"],
    }
    return TestSuite("sendpoll load", tuple(_cases(result)), properties).xml()


def _cases(result: LoadResult) -> Iterator[TestCase]:
    unreachable = result["verdict"] == "unreachable"
    yield TestCase(
        _GROUP, "target reachable", "error" if unreachable else "passed", _if(unreachable, result["sentence"])
    )
    doubts = [] if unreachable else _doubts(result)
    yield TestCase(
        _GROUP, "generator on time", "error" if doubts else "passed", "; ".join(doubts), seconds=result["seconds"]
    )
    cut = result["sentence"] if result["interrupted"] else ""
    if cut:
        yield TestCase(_GROUP, "not cut short", "error", cut)
    for gate in result["gates"]:
        yield _gate(gate, result, unreachable or bool(doubts) or bool(cut))
    for row in result.get("comparison", {"ratios": ()})["ratios"]:
        worse = row["change"] == "worse"
        told = f"worse than in the run before: {ratio(row)}"
        yield TestCase(f"{_GROUP}.compare", row["name"], "failure" if worse else "passed", _if(worse, told))


def _doubts(result: LoadResult) -> list[str]:
    ledger = result["ledger"]
    lost = [] if ledger["balances"] else ["the ledger does not balance"]
    return [*result["generator"]["problems"], *lost]


def _gate(gate: GateTold, result: LoadResult, meaningless: bool) -> TestCase:
    group, name, sentence = f"{_GROUP}.slo", gate["objective"], gate["sentence"]
    certain = gate["metric"] == "violations" and gate["verdict"] == "fail" and result["ledger"]["started"]
    if meaningless and not certain:
        return TestCase(group, name, "skipped", f"the run is {result['verdict']}, so this says nothing: {sentence}")
    if gate["verdict"] == "pass":
        return TestCase(group, name)
    if gate["verdict"] == "fail":
        return TestCase(group, name, "failure", sentence, _proof(gate, result))
    accepted = result["exit_code"] == 0
    return TestCase(group, name, "skipped" if accepted else "error", f"could not be decided: {sentence}")


def _proof(gate: GateTold, result: LoadResult) -> str:
    if gate["metric"] == "violations":
        return "\n".join(
            f"{row['requirement']} ({row['count']}x): {evidence['sentence']}"
            for row in result["violations"]
            for evidence in row["evidence"]
        )
    kinds = {"errors": [*result["refusals"], *result["errors"]], "refused": result["refusals"]}
    if gate["metric"] in kinds:
        return "\n".join(f"{row['count']}x {row['kind']}" for row in kinds[gate["metric"]])
    return ""


def _if(condition: bool, text: str) -> str:
    return text if condition else ""
