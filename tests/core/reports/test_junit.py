"""JUnit documents: well-formed whatever stands in them, and counted as CI systems count."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from sendpoll.core.reports.junit import TestCase, TestSuite

OUTCOMES = st.sampled_from(["passed", "failure", "error", "skipped"])
ANY_TEXT = st.text(st.characters(), max_size=20)
CASES = st.builds(TestCase, group=ANY_TEXT, name=ANY_TEXT, outcome=OUTCOMES, message=ANY_TEXT, detail=ANY_TEXT)


def parsed(suite: TestSuite) -> ET.Element:
    return ET.fromstring(suite.xml().encode("utf-8"))


@given(ANY_TEXT, st.lists(CASES, max_size=5), st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3))
def test_any_text_makes_a_document_that_parses(name: str, cases: list[TestCase], properties: dict[str, str]) -> None:
    root = parsed(TestSuite(name, cases, properties))
    assert len(root.findall("testsuite/testcase")) == len(cases)


@given(st.lists(CASES, max_size=8))
def test_the_counts_are_those_of_the_elements(cases: list[TestCase]) -> None:
    suite = parsed(TestSuite("run", cases)).find("testsuite")
    assert suite is not None
    for element, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        assert len(suite.findall(f"testcase/{element}")) == int(suite.attrib[count])
    assert int(suite.attrib["tests"]) == len(cases)


def test_a_failure_is_an_element_with_its_sentence_and_its_detail() -> None:
    cases = [TestCase("POLL", "POLL-8", "failure", "text was cut\0", "<exchange>", 1.5), TestCase("POLL", "POLL-9")]
    root = parsed(TestSuite("sendpoll check", cases, {"seed": "7"}))
    failed, passed = root.findall("testsuite/testcase")
    told = failed.find("failure")
    assert told is not None
    assert (told.attrib["message"], told.text) == ("text was cut\\u0000", "<exchange>")
    assert list(passed) == []
    assert (failed.attrib["classname"], failed.attrib["time"]) == ("POLL", "1.500")
    assert [dict(found.attrib) for found in root.findall("testsuite/properties/property")] == [
        {"name": "seed", "value": "7"}
    ]
