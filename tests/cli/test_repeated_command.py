"""The command that a report gives to go on with: what was given, quoted, and no secret."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import click
import pytest

from sendpoll.cli.check import check
from sendpoll.cli.repeated_command import repeated_command


def command(words: Sequence[str]) -> tuple[str, ...]:
    parent = click.Context(click.Group("sendpoll"), info_name="sendpoll")
    return repeated_command(check.make_context("check", list(words), parent=parent))


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], "sendpoll check"),
        (["http://a.example/x y"], "sendpoll check 'http://a.example/x y'"),
        (
            ["http://a.example", "--deadline", "5", "--only", "POLL-8", "--max-messages", "2"],
            "sendpoll check http://a.example",
        ),
        (["http://a.example", "--strict", "--seed", "7"], "sendpoll check http://a.example --strict --seed 7"),
        (["http://a.example", "--token", "s3cret-token"], 'sendpoll check http://a.example --token "$SENDPOLL_TOKEN"'),
        (
            ["http://a.example", "--prompt", "plain=Say $HOME; rm"],
            "sendpoll check http://a.example --prompt 'plain=Say $HOME; rm'",
        ),
    ],
)
def test_what_was_given_is_told_for_a_shell(given: list[str], told: str) -> None:
    words = " ".join(command(given)).replace(" --token", " --token")
    assert sorted(shlex.split(words)) == sorted(shlex.split(told))
    assert "s3cret" not in words


def test_what_the_environment_gives_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDPOLL_TOKEN", "from-the-environment")
    assert command(["http://a.example"]) == ("sendpoll", "check", "http://a.example")
