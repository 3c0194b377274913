"""The options that say which server is meant and who we are to it; `check`, `load` and `plan` share them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from sendpoll.cli.help_page import Group
from sendpoll.core.target.target import Target, TargetError, load_target

Command = TypeVar("Command", bound=Callable[..., Any])

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--target", "target_file", type=_FILE, metavar="FILE", help="A target file: all of this and more."),
    click.option("--token", envvar="SENDPOLL_TOKEN", metavar="T", help="Bearer token; or in SENDPOLL_TOKEN."),
    click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Repeatable; in every request."),
    click.option("--ca-file", type=_FILE, metavar="FILE", help="Authorities to trust, as PEM."),
    click.option("--insecure", is_flag=True, help="Do not verify TLS certificates."),
    click.option("--workspace", metavar="ID", help="Use this one; else the run makes its own."),
)

SERVER = Group("Server", ("target_file", "token"), ("headers", "ca_file", "insecure", "workspace"))
"""Where these options stand in the help of a command."""


def target_options(command: Command) -> Command:
    """Give a command the options that `target_of` reads."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def target_of(url: str | None, options: Mapping[str, Any]) -> Target | None:
    """The target that the URL, the target file and the options describe together; options win over the file.

    None if neither a URL nor a file was given. Raises click.UsageError.
    """
    try:
        if options["target_file"] is not None:
            target = load_target(options["target_file"], os.environ)
            _note_other_url(url, target, options["target_file"])
        elif url is not None:
            target = Target(base_url=url)
        else:
            return None
        return dataclasses.replace(target, **_changes(url, options, target))
    except TargetError as problem:
        raise click.UsageError(str(problem)) from problem


def secrets_of(options: Mapping[str, Any]) -> Target:
    """The target as one knows it who is told the rest by a master. Raises click.UsageError."""
    described = target_of(Target().base_url if options["target_file"] is None else None, options)
    assert described is not None  # noqa: S101 - a URL or a file was given
    return described


def _note_other_url(url: str | None, target: Target, file: Path) -> None:
    if url is not None and url.rstrip("/") != target.base_url:
        click.echo(f"Note: {url} is meant, not the url in {file}, {target.base_url}; all else is as it says.", err=True)


def _changes(url: str | None, options: Mapping[str, Any], target: Target) -> dict[str, Any]:
    given = {
        "base_url": url,
        "token": options["token"],
        "ca_file": options["ca_file"],
        "workspace": options["workspace"],
        "verify_tls": False if options["insecure"] else None,
        "headers": (*target.headers, *map(_header, options["headers"])) if options["headers"] else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.UsageError(f"--header {name!r} has no colon; write it as NAME: VALUE")
    return name.strip(), value.strip()
