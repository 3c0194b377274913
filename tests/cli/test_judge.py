"""`sendpoll judge` at the command line: exit codes, masks, baselines, files that are none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sendpoll.cli.main import cli
from tests.conformance.recordings.exchanges import TOKEN
from tests.conformance.recordings.talk import OPENING, RIGHT, polls
from tests.conformance.recordings.test_reading import STUCK, as_har, as_ndjson


def judge(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(cli, ["judge", *map(str, arguments)], env=environment)


@pytest.mark.parametrize(("exchanges", "code", "told"), [(RIGHT, 0, "Nobody is at fault"), (STUCK, 1, "The server is")])
def test_the_exit_code_says_whether_somebody_is_at_fault(
    exchanges: object, code: int, told: str, tmp_path: Path
) -> None:
    ran = judge(as_ndjson(tmp_path / "a.ndjson", exchanges))
    assert ran.exit_code == code
    assert told in ran.output


def test_reports_are_written_without_secrets(tmp_path: Path) -> None:
    echo = [*OPENING, *polls((0, {"data": TOKEN, "another": "a-secret-of-mine"}))]
    ran = judge(
        as_har(tmp_path / "a.har", echo), "--token-env", "MINE", "--report-dir", tmp_path, MINE="a-secret-of-mine"
    )
    written = "".join(path.read_text() for path in tmp_path.iterdir() if path.suffix != ".har")
    assert ran.exit_code == 1
    for secret in (TOKEN, "a-secret-of-mine"):
        assert secret not in written + ran.output
    assert json.loads((tmp_path / "report.json").read_text())["fault"]["whose"] == "server"


def test_known_failures_are_excused(tmp_path: Path) -> None:
    path, known = as_ndjson(tmp_path / "a.ndjson", STUCK), tmp_path / "known.yaml"
    assert judge(path, "--write-baseline", known).exit_code == 1
    assert judge(path, "--baseline", known).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.har"], "nowhere.har"),
        (["a.ndjson", "--token-env", "NOT_SET"], "NOT_SET"),
        (["a.ndjson", "--url", "agent.example"], "--url"),
        (["a.ndjson", "--only", "POLL-99"], "POLL-99"),
    ],
)
def test_what_is_wrong_is_named(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_ndjson(tmp_path / "a.ndjson", RIGHT)
    monkeypatch.chdir(tmp_path)
    ran = judge(*arguments)
    assert ran.exit_code == 2
    assert told in ran.output


def test_one_row_of_either_side_may_be_asked_for(tmp_path: Path) -> None:
    path = as_ndjson(tmp_path / "a.ndjson", RIGHT)
    assert judge(path, "--only", "C-7", "--only", "POLL-5").exit_code == 0
    assert judge(path, "--only", "REQ-1").exit_code == 3
