"""`sendpoll serve`: the reference server in the foreground."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from sendpoll.cli.help_page import Command, Group
from sendpoll.core.text.units import parse_seconds
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.server import ListenError, run
from sendpoll.reference_server.settings import (
    AGENTS,
    DEFAULT_PORT,
    SCOPES,
    SERVICE_TIMES,
    WHEN_BUSY,
    Settings,
    SettingsError,
)

_GROUPS = (
    Group("Listen", ("host", "port", "tokens", "database"), ("cors_origins",)),
    Group(
        "Answer",
        ("agent", "slots", "chunks", "chunk_interval"),
        ("service_time", "seed", "openai_base_url", "openai_model", "openai_timeout"),
    ),
    Group("Limits, as real servers have them", (), ("one_task_per", "when_busy", "requests_per_second", "keep_events")),
)
_EXAMPLES = (
    "sendpoll serve --token T --slots 4 --chunks 40",
    "SENDPOLL_TOKENS=one,two sendpoll serve --database :memory:",
    "sendpoll serve --one-task-per workspace --requests-per-second 20 --keep-events 1000",
    "sendpoll serve --agent openai --openai-base-url http://localhost:11434/v1 --openai-model llama3",
)


class EventsOrTime(click.ParamType[int | float]):
    """A number of events as an int, or a time in seconds as a float."""

    name = "events or time"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """Raises click.BadParameter, which says how to write it."""
        try:
            return int(value) if value.isdecimal() else parse_seconds(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of events, such as 1000, nor a time, such as 10min", param, ctx)


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
@click.option("--openai-timeout", metavar="S", default=600.0, show_default=True, help="openai: seconds an answer.")
@click.option("--one-task-per", type=click.Choice(SCOPES), metavar="WHAT",
              help="conversation, workspace or token: a message while a task of the same one runs is refused with 409"
              " and Retry-After.  [default: it waits for its conversation's]")  # fmt: skip
@click.option("--when-busy", type=click.Choice(WHEN_BUSY), metavar="WHAT",
              help="With --one-task-per: refuse, or queue to have it wait.  [default: refuse]")  # fmt: skip
@click.option("--requests-per-second", metavar="N", type=float,
              help="Calls of the API that are taken of one token, a second's worth at once; more get 429 and"
              " Retry-After.  [default: any number]")  # fmt: skip
@click.option("--keep-events", metavar="N|TIME", type=EventsOrTime(),
              help="Keep the newest N events of a task, or each event for a TIME such as 10m. No event is forgotten in"
              " its first 10 s, so no client loses one that polls as published. A poll from before what is kept gets"
              " what is kept, and first_offset says where that begins.  [default: all, for ever]")  # fmt: skip
def serve(tokens: tuple[str, ...], database: str | None, keep_events: int | float | None, **options: object) -> None:
    """Run the reference server until it is stopped by Ctrl-C or SIGTERM."""
    given = tokens or tuple(token for token in os.environ.get("SENDPOLL_TOKENS", "").split(",") if token)
    made = () if given else (secrets.token_urlsafe(24),)
    try:
        settings = Settings(
            tokens=given or made,
            database=database or default_database(),
            keep_events=keep_events if isinstance(keep_events, int) else None,
            keep_seconds=keep_events if isinstance(keep_events, float) else None,
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
    options = {"tokens": "--token", "cors_origins": "--cors-origin", "keep_seconds": "--keep-events"}
    return f"{options.get(name, '--' + name.replace('_', '-'))}{separator}{rest}"
