"""What the runners of CI systems would obey, by their own rules."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.core.reports.ci_log import CommandBreaker, annotation, is_github, obeys_its_log, unobeyed

_PIECE = st.lists(st.sampled_from([*":#[] \t\n\r\u2003ab%", "vso", "error", "::"]), max_size=20).map("".join)


def obeyed(log: str) -> list[str]:
    """The lines that the runner of GitHub Actions, or one that knows `##name[`, would take for commands.

    TryParseV2 trims the start of the line and looks for a second `::`; TryParse looks for `##[`, a `]` behind it
    and a name between, anywhere in the line.
    """
    commands = []
    for line in re.split("\r\n|\n|\r", log):
        trimmed = line.lstrip()
        if (trimmed.startswith("::") and "::" in trimmed[2:]) or re.search(r"##\w*\[[^\]]*\]", line):
            commands.append(line)
    return commands


@pytest.mark.parametrize(
    "text",
    [
        "::error::x",
        "  ::add-mask::x",
        "\t\u2003::stop-commands::x",
        "a\r::set-output name=a::b",
        "told ##[error]x",
        "##vso[task.setvariable variable=a]b",
        "##teamcity[message text='x']",
        "fine\n::group::x\nfine",
    ],
)
def test_what_a_runner_obeys_is_broken_and_can_still_be_read(text: str) -> None:
    assert obeyed(text)
    assert obeyed(unobeyed(text)) == []
    assert unobeyed(text).replace("\\u003a", ":").replace("\\u005b", "[") == text


@pytest.mark.parametrize("text", ["tests/test_x.py::test_y", "http://[::1]:8091/ fails", "# [x](y)", "a: b", "## [x]"])
def test_what_no_runner_obeys_stays(text: str) -> None:
    assert unobeyed(text) == text


@given(st.lists(_PIECE, max_size=6))
def test_no_log_is_obeyed_however_it_comes_in_pieces(pieces: list[str]) -> None:
    breaker = CommandBreaker()
    written = "".join(map(breaker, pieces))
    assert obeyed(written) == []
    assert written == unobeyed("".join(pieces))


def test_an_annotation_is_one_command_whatever_it_says() -> None:
    line = annotation("error", "POLL-3: a,b", "50%\r\n::error::forged \x1b[31m")
    assert obeyed(line) == [line]
    assert line == r"::error title=POLL-3%3A a%2Cb::50%25\r%0A::error::forged \u001b[31m"


def test_runners_are_known_by_their_variables() -> None:
    assert is_github({"GITHUB_ACTIONS": "true"})
    assert not is_github({"GITHUB_ACTIONS": "false"})
    assert obeys_its_log({"TF_BUILD": "True"})
    assert obeys_its_log({"TEAMCITY_VERSION": "2026.1"})
    assert not obeys_its_log({"CI": "true"})
