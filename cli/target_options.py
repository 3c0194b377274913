"""The options that say which server is meant and who we are to it; `check`, `load` and `plan` share them."""

from __future__ import annotations

import dataclasses
import os
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from sendpoll.cli.help_page import Decorated, Group
from sendpoll.cli.values import TIME
from sendpoll.core.dialing.waiting import wait_until_it_answers
from sendpoll.core.target.headers import with_own
from sendpoll.core.target.proxies import named_proxy
from sendpoll.core.target.target import Target
from sendpoll.core.target.target_file import load_target
from sendpoll.core.target.tokens import acquired
from sendpoll.core.target.url import TargetError
from sendpoll.core.text.units import parse_seconds

_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)
_OPTIONS = (
    click.option("--target", "target_file", type=_PATH, metavar="FILE", help="A target file: all of this and more."),
    click.option("--token", envvar="SENDPOLL_TOKEN", metavar="T", help="Bearer token; or in SENDPOLL_TOKEN."),
    click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="Repeatable; in every request."),
    click.option("--public-header", "public", multiple=True, metavar="NAME", help="Reports may show this one's value."),
    click.option("--ca-file", type=_PATH, metavar="FILE", help="Authorities to trust, as PEM."),
    click.option("--cert", "client_cert", type=_PATH, metavar="FILE", help="A client's certificate, as PEM."),
    click.option("--key", "client_key", type=_PATH, metavar="FILE", help="Its key, if it is in a file of its own."),
    click.option("--insecure", is_flag=True, help="Do not verify TLS certificates."),
    click.option("--workspace", metavar="ID", help="Use this one; else the run makes its own."),
    click.option("--wait", type=TIME, metavar="TIME", help="For the server to answer at all, such as 60s."),
)

SERVER = Group(
    "Server",
    ("target_file", "token"),
    ("headers", "public", "ca_file", "client_cert", "client_key", "insecure", "workspace", "wait"),
)
"""Where these options stand in the help of a command."""


def target_options(command: Decorated) -> Decorated:
    """Give a command the options that `target_of` and `made_ready` read."""
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


def made_ready(target: Target, options: Mapping[str, Any]) -> Target:
    """The target once requests can be sent: its proxy is one that can be used, it answers, it has its tokens.

    Raises click.UsageError.
    """
    try:
        _note_proxy(target)
        if options["wait"] is not None:
            wait_until_it_answers(target, parse_seconds(options["wait"]))
        return acquired(target)
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


def _note_proxy(target: Target) -> None:
    """Tell of a proxy that the published clients would ask for this machine itself, as curl and requests do."""
    if target.proxy is None and target.is_local and named_proxy(target.url, urllib.request.getproxies()):
        click.echo(
            f"Note: the environment names a proxy and does not except {target.host}; curl and requests would ask it. "
            f"This machine is asked directly here. For them, set NO_PROXY={target.host}.",
            err=True,
        )


def _changes(url: str | None, options: Mapping[str, Any], target: Target) -> dict[str, Any]:
    given = {
        "base_url": url,
        "token": options["token"],
        "tokens": () if options["token"] else None,
        "ca_file": options["ca_file"],
        "client_cert": options["client_cert"],
        "client_key": options["client_key"],
        "workspace": options["workspace"],
        "verify_tls": False if options["insecure"] else None,
        "headers": with_own(target.headers, tuple(map(_header, options["headers"]))) if options["headers"] else None,
        "public_headers": (*target.public_headers, *options["public"]) if options["public"] else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon:
        raise click.UsageError(f"--header {name!r} has no colon; write it as NAME: VALUE")
    return name.strip(), value.strip()
