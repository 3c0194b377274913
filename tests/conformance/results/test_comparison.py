"""Reports beside each other: every row of any of them, and nothing that makes two columns look alike that are not."""

from __future__ import annotations

from typing import Any

import pytest

from sendpoll.conformance.results.comparison import NOT_JUDGED, ComparisonError, Entry, compare
from tests.conformance.reporting.sample import conformant_report, sample_report


def entry(name: str, report: Any, **changes: Any) -> Entry:
    return Entry(name, report | changes)


def without(report: Any, *rows: str) -> Any:
    return report | {"requirements": [row for row in report["requirements"] if row["id"] not in rows]}


def test_every_row_stands_beside_what_it_came_to_in_each() -> None:
    found = compare([entry("right", conformant_report()), entry("broken", sample_report())])
    lines = {line.id: line for line in found.lines}
    assert [cell.verdict for cell in lines["POLL-3"].cells] == ["pass", "fail"]
    assert lines["POLL-3"].cells[1].told == "/data/next_offset is written as 3.0, not as an integer literal"
    assert lines["EVT-5"].cells[1].told.startswith("no answer had an emoji")
    assert lines["POLL-3"].failures == 1
    assert len(lines) == len(sample_report()["requirements"])
    levels = [line.level for line in found.lines]
    assert levels == sorted(levels)


def test_a_row_that_one_report_does_not_have_is_not_judged_there_and_not_green() -> None:
    found = compare([entry("young", conformant_report()), entry("old", without(conformant_report(), "POLL-3"))])
    (line,) = [line for line in found.lines if line.id == "POLL-3"]
    assert [cell.verdict for cell in line.cells] == ["pass", NOT_JUDGED]
    assert not line.is_green
    assert all(line.is_green for line in found.lines if line.id != "POLL-3")


def test_a_row_is_worded_as_the_youngest_report_words_it() -> None:
    old, young = conformant_report(), conformant_report()
    for row in old["requirements"]:
        row["title"] = "as it was"
    found = compare([entry("young", young, started_at="2026-11-23T00:00:00Z"), entry("old", old)])
    assert "as it was" not in {line.title for line in found.lines}


def test_what_passed_is_counted_among_what_applies() -> None:
    one = entry("broken", sample_report())
    musts = [row["verdict"] for row in sample_report()["requirements"] if row["level"] == "MUST"]
    assert one.passed("MUST") == (musts.count("pass"), len(musts) - musts.count("not_applicable"))
    assert one.passed("MUST")[0] < one.passed("MUST")[1]


def test_what_makes_columns_differ_is_noted() -> None:
    found = compare(
        [
            entry("one", conformant_report()),
            entry("two", conformant_report(), level="must", tool={"name": "sendpoll", "version": "0.2.0"}),
            entry("three", conformant_report(), interrupted="SIGTERM"),
        ]
    )
    assert found.notes == (
        "The reports were written by versions 0.1.0, 0.2.0, whose rows may differ.",
        "Judged by MUST rows alone: two.",
        "three was cut short by SIGTERM.",
    )
    assert compare([entry("one", conformant_report())]).notes == ()


def test_servers_and_clients_are_no_page() -> None:
    with pytest.raises(ComparisonError, match="make a page of each kind"):
        compare([entry("one", conformant_report()), entry("two", conformant_report(), subject="client")])


def test_a_name_is_of_one_report() -> None:
    with pytest.raises(ComparisonError, match="two reports are called one; name them, as in NAME=PATH"):
        compare([entry("one", conformant_report()), entry("one", sample_report())])
