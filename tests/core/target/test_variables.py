"""Variables in a target file, in the forms of a shell, and refused by name in any other."""

from __future__ import annotations

import pytest

from sendpoll.core.target.variables import VariableError, expanded

ENVIRON = {"SET": "s", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${SET}", "s"),
        ("a${SET}b${SET}", "asbs"),
        ("${EMPTY}", ""),
        ("${UNSET:-d}", "d"),
        ("${UNSET-d}", "d"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${SET:-d}", "s"),
        ("${UNSET:-}", ""),
        ("${UNSET:-http://h:1/p}", "http://h:1/p"),
        ("a$$b", "a$b"),
        ("$${SET}", "${SET}"),
        ("costs $5, or $", "costs $5, or $"),
    ],
)
def test_known_forms_are_what_a_shell_makes_of_them(text: str, value: str) -> None:
    assert expanded({"a": [text]}, ENVIRON) == {"a": [value]}


@pytest.mark.parametrize("text", ["$SET", "${sp-set", "${ SET }", "${SET:?why}", "${SET/a/b}", "${}", "$set"])
def test_other_forms_are_refused(text: str) -> None:
    with pytest.raises(VariableError, match=r"\$\{NAME\}, \$\{NAME:-default\}, or \$\$"):
        expanded(text, ENVIRON)


def test_a_variable_that_is_not_set_is_named() -> None:
    with pytest.raises(VariableError, match="UNSET is not set"):
        expanded("${UNSET}", ENVIRON)


def test_what_a_variable_holds_is_not_read_again() -> None:
    assert expanded("${SET}", {"SET": "${SET}$$"}) == "${SET}$$"
    assert expanded(7, ENVIRON) == 7
