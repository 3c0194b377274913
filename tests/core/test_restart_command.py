"""A command that restarts a target is told of while it runs, where it fails, and in its own last words."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

from sendpoll.core.restart_command import RestartCommand


def ended(command: RestartCommand) -> RestartCommand:
    until = time.monotonic() + 20
    while command.is_running and time.monotonic() < until:
        time.sleep(0.01)
    return command


def test_a_command_that_ends_well_says_nothing() -> None:
    with contextlib.closing(ended(RestartCommand("echo restarting"))) as command:
        assert (command.is_running, command.failure) == (False, "")


def test_a_command_that_fails_tells_its_code_and_its_last_words() -> None:
    with contextlib.closing(ended(RestartCommand("echo first; echo no such unit >&2; echo; exit 5"))) as command:
        assert command.failure == "the restart command ended with 5: no such unit"


def test_a_command_that_a_signal_ends_tells_which() -> None:
    with contextlib.closing(ended(RestartCommand("kill -9 $$"))) as command:
        assert command.failure == "the restart command was ended by signal 9"


def test_what_it_leaves_in_the_background_is_not_waited_for_and_goes_on(tmp_path: Path) -> None:
    """As a server does that a script starts: it has the script's output still open."""
    flag, over = tmp_path / "flag", tmp_path / "over"
    line = f"(while ! [ -e {flag} ]; do sleep 0.02; done; echo late; touch {over}) & echo started"
    command = ended(RestartCommand(line))
    assert (command.is_running, command.failure) == (False, "")
    command.close()

    flag.touch()
    until = time.monotonic() + 20
    while not over.exists() and time.monotonic() < until:
        time.sleep(0.01)
    assert over.exists()


def test_a_command_that_stays_is_left_alone(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    with contextlib.closing(RestartCommand(f"while ! [ -e {flag} ]; do sleep 0.02; done")) as command:
        assert (command.is_running, command.failure) == (True, "")
        flag.touch()
        assert not ended(command).is_running
