"""`check --restart`: a server that is killed and comes back, and commands that do not restart anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sendpoll.cli.main import cli
from sendpoll.schemas.catalogue import load_catalogue
from tests.killable import TOKEN, Killable, killable

ROWS = [row.id for row in load_catalogue().checked if row.asked_by == "--restart"]


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killable]:
    with killable(tmp_path_factory.mktemp("server"), "--chunks", "20", "--chunk-interval", "0.02") as server:
        yield server


def check(server: Killable, folder: Path, *options: str) -> tuple[Result, Any]:
    only = [word for row in ROWS for word in ("--only", row)]
    arguments = ["check", server.url, "--token", TOKEN, "--seed", "1", "--report-dir", str(folder), *only, *options]
    ran = CliRunner().invoke(cli, arguments)
    return ran, json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_a_server_that_is_killed_keeps_what_it_served(server: Killable, tmp_path: Path) -> None:
    ran, report = check(server, tmp_path, "--restart", server.command)

    assert {row["id"]: row["verdict"] for row in report["requirements"]} == dict.fromkeys(ROWS, "pass"), ran.output
    assert any("the target was restarted by" in note for note in report["notes"])
    assert report["messages_sent"] <= 5


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("true", "nothing showed that the target had restarted"),
        ("echo no such unit; exit 4", "the restart command ended with 4: no such unit"),
    ],
)
def test_a_command_that_restarts_nothing_is_no_evidence(
    server: Killable, tmp_path: Path, command: str, told: str
) -> None:
    _, report = check(server, tmp_path, "--restart", command, "--restart-wait", "2")

    assert {row["verdict"] for row in report["requirements"]} == {"inconclusive"}
    assert all(told in row["reason"] for row in report["requirements"])
    assert report["exit_code"] == 3


def test_a_row_about_restarts_is_refused_without_a_command() -> None:
    ran = CliRunner().invoke(cli, ["check", "http://localhost:1", "--only", "RESTART-1"])

    assert ran.exit_code == 2
    assert "--only RESTART-1: it is judged only with --restart" in ran.output
