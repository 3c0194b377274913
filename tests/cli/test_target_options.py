"""What makes a target ready happens before a command sends anything: the wait, and the command that prints tokens."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from sendpoll.cli import target_options
from sendpoll.cli.main import cli
from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError

NOWHERE = "http://127.0.0.1:9"
COMMANDS = ("check", "load", "plan")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_waits_as_long_as_it_is_told(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def waited(target: Target, seconds: float) -> bool:
        raise TargetError(f"waited {seconds:g} s for {target.base_url}")

    monkeypatch.setattr(target_options, "wait_until_it_answers", waited)
    result = CliRunner().invoke(cli, [command, NOWHERE, "--token", "T", "--wait", "1min"])
    assert result.exit_code == 2
    assert f"waited 60 s for {NOWHERE}" in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_asks_for_a_token_where_none_was_told(command: str, tmp_path: Path) -> None:
    (tmp_path / "server.yaml").write_text(f"url: {NOWHERE}\ntoken_command: [sh, -c, 'echo no key; exit 1']\n")
    result = CliRunner().invoke(cli, [command, "--target", str(tmp_path / "server.yaml")], env={"SENDPOLL_TOKEN": None})
    assert result.exit_code == 2
    assert "sh" in result.stderr
    assert "ended with 1" in result.stderr or "exit code 1" in result.stderr, result.stderr
