from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from sendpoll.cli.explain import explain as explain_command
from sendpoll.cli.requirements import requirements as requirements_command
from sendpoll.conformance.results.explain import (
    UnknownRequirementError,
    catalogue_json,
    catalogue_markdown,
    catalogue_text,
    explain,
    explanation_text,
)
from sendpoll.conformance.rules.rules import RULES
from sendpoll.schemas.catalogue import CLIENTS, Requirement, load_catalogue


@pytest.mark.parametrize("row", load_catalogue().checked, ids=lambda row: row.id)
def test_every_checked_row_names_a_check_and_what_it_does(row: Requirement) -> None:
    explanation = explain(row.id)
    assert explanation.checks
    assert all(check.sentence for check in explanation.checks)


@pytest.mark.parametrize("row", load_catalogue().rows, ids=lambda row: row.id)
def test_every_explanation_fits_80_columns_and_has_all_parts(row: Requirement) -> None:
    text = explanation_text(explain(row.id))
    assert max(map(len, text.splitlines())) <= 80
    flat = " ".join(text.split())
    assert " ".join(row.sentence.split()) in flat
    assert "because " in flat


def test_an_explanation_says_who_breaks_how() -> None:
    text = " ".join(explanation_text(explain("EVT-5")).split())
    assert f"{CLIENTS['C']}, {CLIENTS['P']}: UnicodeEncodeError" in text
    assert f"{CLIENTS['B']}: two lines" in text


def test_clients_that_break_alike_are_told_at_once() -> None:
    text = " ".join(explanation_text(explain("POLL-8")).split())
    assert "breaks every published client: ab for abcde" in text


def test_what_leaves_a_row_without_a_verdict_is_told_with_the_mend() -> None:
    text = " ".join(explanation_text(explain("EVT-5")).split())
    assert "no verdict where no answer held an emoji; give a message" in text


def test_a_rule_is_told_as_a_check() -> None:
    rule = RULES[0].requirement
    assert "every exchange" in " ".join(check.sentence for check in explain(rule).checks)


def test_a_marked_check_is_found_with_its_docstring() -> None:
    node = explain("REQ-11").checks[0]
    assert re.fullmatch(r"test_\w+\.py::test_\w+", node.node)
    assert "IPv4" in node.sentence


def test_the_mutants_that_prove_a_check_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sendpoll.conformance.results.explain._proofs", lambda _: {"POLL-5": ("lost-event", "repeat")})
    assert "faulty servers lost-event, repeat" in " ".join(explanation_text(explain("POLL-5")).split())


def test_the_case_of_an_id_does_not_matter() -> None:
    assert explain(" poll-8 ").requirement.id == "POLL-8"


@pytest.mark.parametrize(("identifier", "told"), [("POLL-88", "POLL-8"), ("nothing-like-it", "sendpoll requirements")])
def test_an_unknown_id_is_told_with_the_mend(identifier: str, told: str) -> None:
    with pytest.raises(UnknownRequirementError, match=told):
        explain(identifier)


def test_an_excluded_row_says_why_and_offers_no_run() -> None:
    row = next(row for row in load_catalogue().rows if row.excluded)
    text = explanation_text(explain(row.id))
    assert "not checked" in text
    assert "--only" not in text


@pytest.mark.parametrize("level", [None, "must", "should"])
def test_every_form_of_the_catalogue_lists_the_rows_of_the_level(level: str | None) -> None:
    catalogue = load_catalogue()
    wanted = [row.id for row in catalogue.rows if level is None or row.level.lower() == level]
    text = catalogue_text(catalogue, level)
    assert re.findall(r"^([A-Z]+-\d+) ", text, re.MULTILINE) == wanted
    assert [row["id"] for row in json.loads(catalogue_json(catalogue, level))] == wanted
    assert re.findall(r"^\| ([A-Z]+-\d+) \|", catalogue_markdown(catalogue, level), re.MULTILINE) == wanted
    assert max(map(len, text.splitlines())) <= 80


def test_every_row_of_the_markdown_table_has_four_cells() -> None:
    lines = catalogue_markdown(load_catalogue()).splitlines()
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 5 for line in lines)


def test_the_commands_print_and_exit_with_0() -> None:
    runner = CliRunner()
    listed = runner.invoke(requirements_command, ["--format", "json"])
    told = runner.invoke(explain_command, ["POLL-8"])
    assert (listed.exit_code, told.exit_code) == (0, 0)
    assert len(json.loads(listed.stdout)) == len(load_catalogue().rows)
    assert told.stdout.startswith("POLL-8 (MUST)\n")


def test_an_unknown_id_is_a_usage_error() -> None:
    result = CliRunner().invoke(explain_command, ["POLL-88"])
    assert result.exit_code == 2
    assert "did you mean POLL-8" in result.stderr


def test_no_output_needs_more_than_ascii_of_an_ascii_stream() -> None:
    runner = CliRunner(charset="ascii")
    for row in load_catalogue().rows:
        assert runner.invoke(explain_command, [row.id]).exit_code == 0
