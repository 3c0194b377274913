"""Tokens from a list, a file or a command, renewed once for all who were refused."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from sendpoll.core.files.errors import FileError
from sendpoll.core.target.target import Target
from sendpoll.core.target.tokens import Tokens, acquired, tokens_of_command, tokens_of_file
from sendpoll.core.target.url import TargetError

SECRET = "printed-by-mistake"


def printing(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program


def test_a_file_has_one_token_a_line(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    path.write_text("\ufeff# of staging\r\nfirst\r\n\r\n second \n")
    assert tokens_of_file(path) == ("first", "second")


@pytest.mark.parametrize("text", ["", "# none\n", f"{SECRET} two\n", f"{SECRET}é\n"])
def test_a_file_without_tokens_is_refused_and_not_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    with pytest.raises(TargetError) as raised:
        tokens_of_file(path)
    assert SECRET not in str(raised.value)
    with pytest.raises(FileError):
        tokens_of_file(tmp_path)


def test_a_command_prints_a_token_or_several() -> None:
    assert tokens_of_command(printing("print('a')")) == ("a",)
    assert tokens_of_command(printing("print('a\\nb\\n')")) == ("a", "b")


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (("no-such-command-anywhere",), "cannot be run"),
        (printing(f"print('{SECRET}'); raise SystemExit(3)"), "ended with 3"),
        (printing("import sys; sys.stdin.read()"), "tells 0 tokens"),
        (printing(f"print('{SECRET} and more')"), "line 1 is no token"),
        (printing("import time; time.sleep(60)"), "did not end within 1 s"),
    ],
    ids=["absent", "fails", "prints nothing", "prints a sentence", "hangs"],
)
def test_a_command_that_fails_is_told_without_what_it_printed(command: Sequence[str], told: str) -> None:
    with pytest.raises(TargetError) as raised:
        tokens_of_command(command, within=1 if "1 s" in told else 10)
    assert told in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_target_has_the_tokens_that_its_command_prints() -> None:
    assert acquired(Target(token_command=printing("print('a\\nb')"))).tokens == ("a", "b")
    one = acquired(Target(token_command=printing("print('a')")))
    assert (one.token, one.tokens) == ("a", ())
    told = Target(token="mine", token_command=printing("raise SystemExit(1)"))
    assert acquired(told) == told


def test_users_take_the_tokens_in_turn() -> None:
    tokens = Tokens(Target(token="a", tokens=("a", "b", "c")))
    assert [tokens.of(user) for user in range(5)] == ["a", "b", "c", "a", "b"]
    assert not tokens.can_renew


def test_a_refused_token_is_renewed_once_for_all_who_ask() -> None:
    runs: list[int] = []

    def fetch(_: Sequence[str]) -> tuple[str, ...]:
        runs.append(1)
        return ("new",)

    tokens = Tokens(Target(token="old", token_command=("x",)), fetch)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(tokens.renewed("old"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (answers, len(runs), tokens.of(0)) == (["new"] * 8, 1, "new")


def test_each_user_of_a_pool_keeps_its_place() -> None:
    tokens = Tokens(Target(token="a", tokens=("a", "b"), token_command=("x",)), lambda _: ("c", "d"))
    assert tokens.renewed("b") == "d"
    assert tokens.renewed("a") == "c"
    assert tokens.pool == ("c", "d")


def test_a_token_that_cannot_be_renewed_is_told() -> None:
    with pytest.raises(TargetError, match="no token_command"):
        Tokens(Target(token="old")).renewed("old")
    with pytest.raises(TargetError, match="prints a token that the server refuses"):
        Tokens(Target(token="old", token_command=("x",)), lambda _: ("old",)).renewed("old")
