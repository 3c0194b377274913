"""Variables of the environment in the texts of a target file, in the forms that a shell has for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_DOLLAR: Final = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<rule>:?-)(?P<default>[^}]*))?\}|(?P<other>[A-Za-z_{]))"
)


class VariableError(ValueError):
    """A variable is not set, or is written in no form that is known; the message says which and the mend."""


def expanded(value: Any, environ: Mapping[str, str]) -> Any:
    """A JSON value with the variables in its texts replaced; names in it stay. Raises VariableError.

    `${NAME}` must be set; `${NAME:-text}` is the text where it is unset or empty, `${NAME-text}` where it is unset;
    `$$` is a dollar sign, and so is a dollar sign before what is no name.
    """
    if isinstance(value, dict):
        return {key: expanded(member, environ) for key, member in value.items()}
    if isinstance(value, list):
        return [expanded(member, environ) for member in value]
    return _text(value, environ) if isinstance(value, str) else value


def _text(text: str, environ: Mapping[str, str]) -> str:
    def value_of(found: re.Match[str]) -> str:
        name = found["name"]
        if found["dollar"]:
            return "$"
        if found["other"]:
            raise VariableError(
                "a dollar sign stands before what is no known form of a variable; write ${NAME}, ${NAME:-default}, "
                "or $$ for the sign itself"
            )
        told = environ.get(name)
        if found["rule"] is not None and (told is None or (not told and found["rule"] == ":-")):
            return str(found["default"])
        if told is None:
            raise VariableError(f"the environment variable {name} is not set; set it, or write ${{{name}:-default}}")
        return told

    return _DOLLAR.sub(value_of, text)
