"""`sendpoll check` on the command line: what it refuses, and from when on its deadline counts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from sendpoll.cli.main import cli

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_rows_of_which_the_level_leaves_none_are_a_usage_error(dry: list[str]) -> None:
    result = CliRunner().invoke(cli, ["check", NOWHERE, "--only", "CACHE-1", "--level", "must", *dry])
    assert result.exit_code == 2
    assert "--only CACHE-1 with --level must leaves nothing to judge" in result.stderr


def test_rows_of_which_the_level_leaves_one_are_none(tmp_path: Path) -> None:
    arguments = ["check", NOWHERE, "--only", "CACHE-1", "--only", "POLL-8", "--level", "must"]
    result = CliRunner().invoke(cli, [*arguments, "--report-dir", str(tmp_path)])
    assert result.exit_code == 3
    report = json.loads((tmp_path / "report.json").read_text())
    assert [row["id"] for row in report["requirements"]] == ["POLL-8"]


def test_the_start_counts_towards_the_deadline_but_not_all_of_a_slow_one(tmp_path: Path) -> None:
    arguments = ["check", NOWHERE, "--only", "POLL-8", "--deadline", "1.5", "--report-dir", str(tmp_path)]
    CliRunner().invoke(cli, arguments, obj=time.monotonic() - 100)
    report = json.loads((tmp_path / "report.json").read_text())
    assert 2 <= report["duration_s"] < 90
    assert "deadline" in report["summary"]
