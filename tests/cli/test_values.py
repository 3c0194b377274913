"""What a shell is offered for the words of a command line."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = [sys.executable, "-c", "from sendpoll.cli.main import main; main()"]


def run(**environment: str) -> str:
    return subprocess.run(
        PROGRAM, env={**os.environ, **environment}, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def offered(words: str, at: int) -> list[str]:
    printed = run(_SENDPOLL_COMPLETE="bash_complete", COMP_WORDS=words, COMP_CWORD=str(at))
    return [line.partition(",")[2] for line in printed.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell: str) -> None:
    assert "sendpoll" in run(_SENDPOLL_COMPLETE=f"{shell}_source")


@pytest.mark.parametrize(
    ("words", "at", "expected"),
    [
        ("sendpoll re", 1, ["requirements", "replay", "report"]),
        ("sendpoll explain poll-1", 2, ["POLL-1", "POLL-10", "POLL-11", "POLL-12", "POLL-13"]),
        ("sendpoll check --only queue", 3, ["QUEUE-1", "QUEUE-2"]),
        ("sendpoll check --report", 2, ["--report-dir"]),
        ("sendpoll check --level ", 3, ["must", "should"]),
        ("sendpoll load --scenario s", 3, ["smoke", "soak"]),
    ],
)
def test_words_are_completed(words: str, at: int, expected: list[str]) -> None:
    assert offered(words, at) == expected
