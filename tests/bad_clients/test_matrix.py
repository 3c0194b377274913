"""Every bad client fails its row and nothing else, every right one nothing, and the committed files say so."""

from __future__ import annotations

import json
import shutil

import pytest

from sendpoll.schemas.catalogue import Subject, load_catalogue
from tests.bad_clients.catalogue import BAD_CLIENTS, PROGRAMS, RIGHT, BadClient
from tests.bad_clients.matrix import PATIENCE, PROOFS, TABLE, outcome_of, proofs, report_on


def name(bad: BadClient) -> str:
    return bad.name


@pytest.mark.parametrize("bad", BAD_CLIENTS, ids=name)
def test_a_bad_client_fails_its_row_and_nothing_else(bad: BadClient) -> None:
    if shutil.which(bad.command[0]) is None:
        pytest.skip(f"{bad.command[0]} is not installed")
    outcome = outcome_of(bad)
    assert list(outcome.problems()) == []


@pytest.mark.parametrize("command", RIGHT, ids=["python", "node"])
def test_what_they_are_made_of_is_right(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    code, report, told = report_on(command, "--patience", PATIENCE)
    failed = [row["id"] for row in report["requirements"] if row["verdict"] == "fail" and row["level"] == "MUST"]
    assert (code, failed) == (0, []), told


def test_every_program_is_listed_once() -> None:
    files = [bad.file for bad in BAD_CLIENTS]
    programs = {path.name for path in PROGRAMS.iterdir() if path.is_file()}
    assert sorted(files) == sorted(programs - {"base.py", "base.mjs", "base.sh"})


def test_every_row_is_proven() -> None:
    rows = load_catalogue(Subject.CLIENT).checked
    assert [row.id for row in rows if not proofs()[row.id]] == []


def test_the_committed_files_are_fresh() -> None:
    """Mend with: python -m tests.bad_clients.matrix --write."""
    assert json.loads(PROOFS.read_text(encoding="utf-8")) == proofs()
    table = TABLE.read_text(encoding="utf-8")
    assert [bad.name for bad in BAD_CLIENTS if f"| `{bad.name}` | {bad.fault} | {bad.requirement} |" not in table] == []
