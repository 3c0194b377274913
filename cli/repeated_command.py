"""The command that was given, for a shell, so that a report can say how to go on where a run was too short."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import click
from click.core import ParameterSource

_TOLD_ANEW = frozenset({"only", "deadline", "max_messages", "dry_run", "watch", "write_baseline"})
"""What the next run is told anew, or not at all."""
_VARIABLES = {"token": "SENDPOLL_TOKEN", "second_token": "SENDPOLL_SECOND_TOKEN"}
"""What is secret, and the variable in which it should stand."""


def repeated_command(context: click.Context) -> tuple[str, ...]:
    """The words of the command and its options as they were given, quoted; a secret is told as a variable.

    What the value of a header holds is left to the redaction of whoever writes the command.
    """
    words = [context.find_root().info_name or "sendpoll", context.info_name or ""]
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if given and name not in _TOLD_ANEW:
            words += _words(parameter, context.params[name])
    return tuple(word for word in words if word)


def _words(parameter: click.Parameter, value: Any) -> Iterator[str]:
    if isinstance(parameter, click.Argument):
        yield shlex.quote(str(value))
        return
    option = max(parameter.opts, key=len)
    if parameter.name in _VARIABLES:
        yield from (option, f'"${_VARIABLES[parameter.name]}"')
    elif isinstance(parameter, click.Option) and parameter.is_flag:
        yield option
    else:
        for one in value if isinstance(value, tuple) else (value,):
            yield from (option, shlex.quote(str(one)))
