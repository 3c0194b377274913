"""What a CI runner takes out of the log of a job as a command to itself, and how no text of a stranger becomes one.

The runner of GitHub Actions reads every line of both streams. It takes `::name …::data` for a command where nothing but
white space stands before it (src/Runner.Common/ActionCommand.cs, TryParseV2), and `##[name …]data` anywhere in a line
(TryParse); Azure Pipelines takes `##vso[…]` and TeamCity `##teamcity[…]` likewise. GitLab's sections need a carriage
return and an escape, neither of which `visible` lets through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal

from sendpoll.core.text.safe import visible

_LINE_ENDS: Final = "\n\r"
_OPENING: Final = re.compile(r"##\w*$")
_RUNNERS: Final = {"GITHUB_ACTIONS": "true", "TF_BUILD": "True", "TEAMCITY_VERSION": ""}
"""Variables by which a runner that obeys its log is known, with the value, where one is certain."""


def is_github(environ: Mapping[str, str]) -> bool:
    """Whether the run is one of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def obeys_its_log(environ: Mapping[str, str]) -> bool:
    """Whether somebody reads what is printed as commands."""
    return any(name in environ and (not value or environ[name] == value) for name, value in _RUNNERS.items())


class CommandBreaker:
    """Writes the sign that would complete a command by its code; keeps count of the line over several pieces."""

    def __init__(self) -> None:
        self._line = ""

    def __call__(self, text: str) -> str:
        """The next piece of a log."""
        if not self._line and "::" not in text and "#" not in text and ":" not in text:
            self._line = re.split("[\n\r]", text)[-1]
            return text
        return "".join(map(self._next, text))

    def _next(self, character: str) -> str:
        before = self._line
        self._line = "" if character in _LINE_ENDS else before + character
        completes = (character == ":" and before.strip() == ":") or (character == "[" and _OPENING.search(before))
        return f"\\u{ord(character):04x}" if completes else character


def unobeyed(text: str) -> str:
    """A whole text of which no line is a command."""
    return CommandBreaker()(text)


def annotation(kind: Literal["error", "warning"], title: str, message: str) -> str:
    """A workflow command of GitHub Actions that is shown on the run and the pull request."""
    return f"::{kind} title={_property(title)}::{_message(message)}"


def _message(text: str) -> str:
    """Escaped as the runner reads it: a line end would end the command, and a new one could be forged behind it."""
    return visible(text, keep="\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
