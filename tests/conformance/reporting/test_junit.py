from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from sendpoll.conformance.reporting.junit import junit_report
from tests.conformance.reporting.sample import conformant_report, sample_report


def cases(report: Any) -> dict[str, ET.Element]:
    root = ET.fromstring(junit_report(report).encode())
    return {case.attrib["name"].split()[0]: case for case in root.iter("testcase")}


def outcome(case: ET.Element) -> str:
    return case[0].tag if len(case) else "passed"


def test_each_verdict_has_its_element() -> None:
    found = cases(sample_report())
    assert len(found) == len(sample_report()["requirements"])
    expected = {"MSG-1": "failure", "CACHE-1": "failure", "REQ-10": "error", "EVT-5": "skipped", "CORS-1": "skipped"}
    assert {name: outcome(found[name]) for name in expected} == expected
    assert outcome(found["REQ-1"]) == "passed"
    assert "--prompt unicode=TEXT" in found["EVT-5"][0].attrib["message"]


def test_the_counts_are_those_of_the_cases() -> None:
    root = ET.fromstring(junit_report(sample_report()).encode())
    assert [root.attrib[name] for name in ("failures", "errors", "skipped")] == ["5", "1", "3"]


def test_a_failure_tells_sentence_command_and_answer() -> None:
    failure = cases(sample_report())["POLL-3"][0]
    assert failure.attrib["message"] == "/data/next_offset is written as 3.0, not as an integer literal"
    assert "$SENDPOLL_TOKEN" in (failure.text or "")
    assert '"next_offset":3.0' in (failure.text or "")


def test_known_failures_are_skipped_and_stale_rows_fail() -> None:
    lists = {"known": ["MSG-1"], "stale": ["REQ-1"], "expired": [], "unlisted": [], "reasons": {"MSG-1": "release 3"}}
    found = cases(sample_report() | {"baseline": lists})
    assert found["MSG-1"][0].tag == "skipped"
    assert found["MSG-1"][0].attrib["message"] == "known failure: release 3"
    assert found["REQ-1"][0].tag == "failure"


def test_a_should_row_is_no_failure_where_must_rows_alone_are_judged() -> None:
    found = cases(sample_report() | {"level": "must"})
    assert outcome(found["CACHE-1"]) == "skipped"
    assert outcome(found["MSG-1"]) == "failure"


def test_a_conformant_report_has_no_failure() -> None:
    assert {outcome(case) for case in cases(conformant_report()).values()} == {"passed"}
