"""Rows that follow from others stand behind them, as servers with one fault each have shown."""

from __future__ import annotations

from typing import Any

from sendpoll.conformance.results import view
from sendpoll.conformance.results.causes import explained_by
from sendpoll.schemas.catalogue import load_catalogue
from tests.mutants.catalogue import MUTANTS

ROWS = [row.id for row in load_catalogue().checked]


def report(*failed: str) -> Any:
    verdict = {row: "fail" if row in failed else "pass" for row in ROWS}
    levels = {row.id: str(row.level) for row in load_catalogue().checked}
    return {"requirements": [{"id": row, "level": levels[row], "verdict": verdict[row]} for row in ROWS]}


def test_no_two_rows_explain_each_other() -> None:
    for row in ROWS:
        for cause in explained_by(row, ROWS):
            assert cause in ROWS
            assert row not in explained_by(cause, ROWS)


def test_no_row_explains_the_fault_of_a_server_that_has_one() -> None:
    for mutant in MUTANTS:
        assert explained_by(mutant.requirement, mutant.also) == [], mutant.name


def test_what_explains_stands_first() -> None:
    told = report("REQ-5", "MSG-1", "HTTP-1")

    assert [row["id"] for row in view.rows_with(told, "fail")] == ["HTTP-1", "REQ-5", "MSG-1"]
    assert [row["id"] for row in view.ranked(told)[:3]] == ["HTTP-1", "REQ-5", "MSG-1"]
    assert {row["id"]: view.causes(told, row) for row in view.rows_with(told, "fail")} == {
        "REQ-5": ["HTTP-1"],
        "MSG-1": ["REQ-5", "HTTP-1"],
        "HTTP-1": [],
    }


def test_what_failed_alone_follows_from_nothing() -> None:
    told = report("MSG-1")

    assert view.causes(told, told["requirements"][ROWS.index("MSG-1")]) == []
    assert view.causes(told, told["requirements"][ROWS.index("REQ-1")]) == []
