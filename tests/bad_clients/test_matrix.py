"""Every bad client fails its row and nothing else, every right one nothing, and the committed files say so.

All of them take a quarter of an hour. By default one for each third row runs; set SENDPOLL_EXHAUSTIVE=1 for all.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from sendpoll.schemas.catalogue import Subject, load_catalogue
from tests.bad_clients.catalogue import BAD_CLIENTS, BY_NAME, PROGRAMS, RIGHT
from tests.bad_clients.matrix import PATIENCE, PROOFS, TABLE, Outcome, outcome_of, proofs, report_on
from tests.pooled import pooled

Ran = Callable[[str], Outcome]


def _names() -> list[str]:
    first = {bad.requirement: bad.name for bad in reversed(BAD_CLIENTS)}
    return list(BY_NAME) if os.environ.get("SENDPOLL_EXHAUSTIVE") else list(first.values())[::3]


@pytest.fixture(scope="module", name="ran")
def _ran(request: pytest.FixtureRequest) -> Iterator[Ran]:
    with pooled(request, lambda name: outcome_of(BY_NAME[name])) as outcome:
        yield outcome


@pytest.mark.parametrize("name", _names())
def test_a_bad_client_fails_its_row_and_nothing_else(name: str, ran: Ran) -> None:
    if shutil.which(BY_NAME[name].command[0]) is None:
        pytest.skip(f"{BY_NAME[name].command[0]} is not installed")
    assert list(ran(name).problems()) == []


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
