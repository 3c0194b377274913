"""The help of every command: on one screen, with an example that is true, and nothing left out of `--help-all`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from sendpoll.cli.help_page import Command
from sendpoll.cli.main import cli
from sendpoll.load.scenario.scenario_file import shipped_scenarios

LINES = 23
"""A terminal of 24 lines, less one for the prompt."""


def names_of(group: click.Group, *above: str) -> Iterator[str]:
    """The words of each command, those of groups by their commands."""
    for name in group.list_commands(click.Context(group)):
        found = group.get_command(click.Context(group), name)
        yield from names_of(found, *above, name) if isinstance(found, click.Group) else (" ".join((*above, name)),)


NAMES = tuple(names_of(cli))


def help_of(*arguments: str) -> str:
    shown = CliRunner().invoke(cli, [*arguments], prog_name="sendpoll", terminal_width=80, max_content_width=80)
    assert shown.exit_code == 0
    return shown.output


def command_of(name: str) -> Command:
    found: click.Command | None = cli
    for word in name.split():
        assert isinstance(found, click.Group)
        found = found.get_command(click.Context(found), word)
    assert isinstance(found, Command)
    return found


def options_of(name: str) -> list[click.Option]:
    command = command_of(name)
    return [option for option in command.get_params(click.Context(command)) if isinstance(option, click.Option)]


@pytest.mark.parametrize("arguments", [[], ["report"], *(name.split() for name in NAMES)], ids=" ".join)
def test_help_fits_a_screen_and_has_an_example(arguments: list[str]) -> None:
    page = help_of(*arguments, "--help")
    assert len(page.splitlines()) <= LINES
    assert max(map(len, page.splitlines())) <= 80
    assert "\nExample" in page


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_shown_once(name: str) -> None:
    grouped = [each for group in command_of(name).groups for each in group.essential + group.more]
    assert len(grouped) == len(set(grouped))
    everywhere = help_of(
        *name.split(), "--help-all" if any(group.more for group in command_of(name).groups) else "--help"
    )
    for option in options_of(name):
        lines = [
            line
            for line in everywhere.splitlines()
            if line.startswith("  -") and option.opts[0] in line.replace(",", " ").split()
        ]
        assert len(lines) == 1, option.opts


@pytest.mark.parametrize("name", NAMES)
def test_no_option_of_a_grouped_command_is_forgotten(name: str) -> None:
    groups = command_of(name).groups
    if not groups:
        return
    grouped = {each for group in groups for each in group.essential + group.more}
    assert {max(option.opts, key=len) for option in options_of(name) if option.name not in grouped} == {
        "--help-all",
        "--help",
    }


@pytest.mark.parametrize(
    ("name", "example"), [(name, line) for name in NAMES for line in command_of(name).examples], ids=str
)
def test_an_example_names_only_what_there_is(name: str, example: str) -> None:
    words = shlex.split(example.partition(" > ")[0])
    if "sendpoll" not in words:
        return
    words = words[words.index("sendpoll") + 1 :]
    words = words[: words.index("--")] if "--" in words else words  # behind it stands somebody else's command
    assert words[: len(name.split())] == name.split()
    known = {form for option in options_of(name) for form in option.opts}
    assert {word for word in words if word.startswith("-")} <= known


def test_every_shipped_scenario_is_named() -> None:
    page = help_of("load", "--help-all")
    assert [name for name in shipped_scenarios() if name not in page] == []


def test_a_command_of_one_option_needs_no_second_page() -> None:
    assert "--help-all" not in help_of("explain", "--help")


def test_a_long_option_does_not_push_the_others_aside() -> None:
    @click.command(cls=Command)
    @click.option("--an-option-whose-name-is-long", metavar="SOMETHING", help="Long.")
    @click.option("--short", help="Short.")
    def command() -> None:
        """Do a thing."""

    page = CliRunner().invoke(command, ["--help"], terminal_width=80).output
    assert "\n  --short TEXT  Short.\n" in page
