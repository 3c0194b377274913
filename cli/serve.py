"""`sendpoll serve`: the reference server in the foreground."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from sendpoll.cli.help_page import Command, Group
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.server import ListenError, run
from sendpoll.reference_server.settings import (
    AGENTS,
    DEFAULT_PORT,
    SERVICE_TIMES,
    Settings,
    SettingsError,
)

_GROUPS = (
    Group("Listen", ("host", "port", "tokens", "database"), ("cors_origins",)),
    Group(
        "Answer",
        ("agent", "slots", "chunks", "chunk_interval"),
        ("service_time", "seed", "openai_base_url", "openai_model"),
    ),
)
_EXAMPLES = (
    "sendpoll serve --token T --slots 4 --chunks 40",
    "SENDPOLL_TOKENS=one,two sendpoll serve --database :memory:",
    "sendpoll serve --agent openai --openai-base-url http://localhost:11434/v1 --openai-model llama3",
)


def default_database() -> str:
    """The file in the user's state folder that is used when none is named."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return str(Path(state) / "sendpoll" / "reference-server.sqlite3")


@click.command(
    cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes={0: "stopped", 2: "usage, or it cannot listen"}
)
@click.option("--host", metavar="NAME", default="localhost", show_default=True, help="Where to listen.")
@click.option("--port", metavar="N", default=DEFAULT_PORT, show_default=True, help="0 picks a free port.")
@click.option("--token", "tokens", metavar="T", multiple=True, help="Repeatable; or SENDPOLL_TOKENS=a,b.")
@click.option("--database", metavar="FILE", help="Or :memory:.  [default: in ~/.local/state]")
@click.option(
    "--cors-origin", "cors_origins", multiple=True, default=["*"], metavar="ORIGIN", help="Repeatable.  [default: any]"
)
@click.option("--slots", metavar="N", default=16, show_default=True, help="Tasks that run at once.")
@click.option(
    "--agent",
    type=click.Choice(AGENTS),
    metavar="NAME",
    default="scripted",
    show_default=True,
    help="scripted, echo or openai.",
)
@click.option("--chunks", metavar="N", default=20, show_default=True, help="scripted: least text chunks a task.")
@click.option("--chunk-interval", metavar="S", default=0.05, show_default=True, help="scripted: seconds a chunk.")
@click.option("--service-time", type=click.Choice(SERVICE_TIMES), metavar="NAME", default="fixed", show_default=True,
              help="scripted: fixed, exponential or lognormal.")  # fmt: skip
@click.option("--seed", metavar="N", default=0, show_default=True, help="scripted: seed of that spread.")
@click.option("--openai-base-url", default="", metavar="URL", help="openai: its URL; key in OPENAI_API_KEY.")
@click.option("--openai-model", default="", metavar="NAME", help="openai: the model.")
def serve(tokens: tuple[str, ...], database: str | None, **options: object) -> None:
    """Run the reference server until it is stopped by Ctrl-C or SIGTERM."""
    given = tokens or tuple(token for token in os.environ.get("SENDPOLL_TOKENS", "").split(",") if token)
    made = () if given else (secrets.token_urlsafe(24),)
    try:
        settings = Settings(
            tokens=given or made,
            database=database or default_database(),
            openai_api_key=os.environ.get("OPENAI_API_KEY", ""),
            **options,  # type: ignore[arg-type]  # click has checked each against its option's type
        )
        run(settings, lambda url: _announce(url, settings, made))
    except SettingsError as problem:
        raise click.UsageError(_by_option(str(problem))) from problem
    except (ListenError, StorageError) as problem:
        raise click.ClickException(str(problem)) from problem


def _announce(url: str, settings: Settings, made: tuple[str, ...]) -> None:
    click.echo(f"Listening on {url}  (page: {url}/  API: {url}/openapi.json)")
    click.echo(f"Database:    {settings.database}")
    for token in made:
        click.echo(f"Token:       {token}  (made for this run; keep one with --token)")
    click.echo("Stop with Ctrl-C.")


def _by_option(problem: str) -> str:
    name, separator, rest = problem.partition(":")
    options = {"tokens": "--token", "cors_origins": "--cors-origin"}
    return f"{options.get(name, '--' + name.replace('_', '-'))}{separator}{rest}"
