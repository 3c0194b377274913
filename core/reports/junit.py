"""JUnit XML, as CI systems read it: a `<failure>` element is what turns a case red there."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from sendpoll.core.text.safe import visible

CaseOutcome = Literal["passed", "failure", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class TestCase:
    """One line of a CI system's test report."""

    __test__ = False  # its name is JUnit's; pytest must not take it for a test

    group: str
    name: str
    outcome: CaseOutcome = "passed"
    message: str = ""
    """One sentence; empty for a case that passed."""
    detail: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class TestSuite:
    """One run, as a CI system shows it."""

    __test__ = False

    name: str
    cases: Sequence[TestCase]
    properties: Mapping[str, str] = field(default_factory=dict)

    def xml(self) -> str:
        """The whole document."""
        count = {kind: sum(case.outcome == kind for case in self.cases) for kind in ("failure", "error", "skipped")}
        numbers = {
            "name": _legal(self.name),
            "tests": str(len(self.cases)),
            "failures": str(count["failure"]),
            "errors": str(count["error"]),
            "skipped": str(count["skipped"]),
            "time": f"{sum(case.seconds for case in self.cases):.3f}",
        }
        root = ET.Element("testsuites", numbers)
        suite = ET.SubElement(root, "testsuite", numbers)
        if self.properties:
            listed = ET.SubElement(suite, "properties")
            for name, value in self.properties.items():
                ET.SubElement(listed, "property", name=_legal(name), value=_legal(value))
        for case in self.cases:
            suite.append(_element(case))
        ET.indent(root)
        return f'<?xml version="1.0" encoding="utf-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _element(case: TestCase) -> ET.Element:
    element = ET.Element("testcase", classname=_legal(case.group), name=_legal(case.name), time=f"{case.seconds:.3f}")
    if case.outcome != "passed":
        told = ET.SubElement(element, case.outcome, message=_legal(case.message))
        told.text = _legal(case.detail)
    return element


def _legal(text: str) -> str:
    """The text as a reader of it may show it: what XML 1.0 cannot carry (section 2.2) is among what is not visible."""
    return visible(text, keep="\n\t")
