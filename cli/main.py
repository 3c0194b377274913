"""The command `sendpoll` and its subcommands, each imported only when it is called or listed."""

from __future__ import annotations

import difflib
import importlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import click

from sendpoll.cli.help_page import write_examples
from sendpoll.core.interruption import CutShortError, exit_code
from sendpoll.core.reports.files import ReportFileError
from sendpoll.core.reports.streams import guarded_streams
from sendpoll.core.text.secrets import Redactor

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "check": "Tell whether the published clients will work with a server.",
        "client": "Tell whether a client works with right servers.",
        "judge": "Tell from recordings whose fault it was.",
        "load": "Hold load on a server and judge it by objectives.",
        "plan": "Find how many users a server holds within its objectives.",
        "trend": "Follow the numbers of many runs, and tell what got worse.",
        "proxy": "Record, judge and break what clients and a server say.",
        "serve": "Run the reference server.",
        "requirements": "List the catalogue of requirements.",
        "explain": "Tell everything about one requirement.",
        "replay": "Send a failure's exchanges again.",
        "report": "Make one page of many reports.",
        "doctor": "Measure what this machine can generate.",
        "locustfile": "Print a locustfile for plain Locust.",
    }
)
"""Each command, a module of the same name, and its line in the list: to list them must not import them all."""

_EXAMPLES = ("sendpoll check http://localhost:8091 --token T",)

_CLOSED_PIPE = 141
"""As a shell says of a program that SIGPIPE ended."""
_BROKEN = 4
"""The exit code of a fault of ours, in every command."""


class _ClosedPipeError(Exception):
    """Nobody reads our output any more."""


class _Lazy(click.Group):
    """A group that imports a command when it is asked for: `load` patches the whole process when it is imported."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"sendpoll.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where there is none of that name."""
        near = difflib.get_close_matches(args[0], _COMMANDS, n=1)
        if args[0] not in _COMMANDS and near:
            ctx.fail(f"No such command {args[0]!r}; did you mean {near[0]}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Click would end a closed pipe with 1, which is a verdict here."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError as closed:
            raise _ClosedPipeError from closed

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Leave its two options to its text: the list of commands fills the screen."""
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        write_examples(formatter, _EXAMPLES)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sendpoll")
def cli() -> None:
    """Conformance, load tests and capacity plans for the send-and-poll API."""


def main() -> None:
    """Run the command line. Ctrl-C ends it with 130, a closed pipe quietly, and nothing with a traceback.

    The context object of a command is the moment at which this began.
    """
    with guarded_streams(os.environ):
        _run()


def _run() -> None:
    try:
        cli.main(prog_name="sendpoll", standalone_mode=False, obj=time.monotonic())
    except click.exceptions.Abort as abort:
        cause = abort.__cause__
        sys.stderr.write("Interrupted.\n")
        sys.exit(exit_code(cause.number if isinstance(cause, CutShortError) else signal.SIGINT))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code if isinstance(error, click.UsageError) else 2)
    except _ClosedPipeError:
        sys.exit(_CLOSED_PIPE)
    except (OSError, ReportFileError) as error:
        sys.stderr.write(f"Error: {error}\n")
        sys.exit(_BROKEN)
    except Exception:  # noqa: BLE001 - no fault of ours may pass for a verdict, as Python's own exit code 1 would
        told = Redactor(_secrets(sys.argv)).text(traceback.format_exc())
        sys.stderr.write(f"{told}Error: this is a fault of sendpoll itself; please report it with the lines above.\n")
        sys.exit(_BROKEN)


def _secrets(arguments: Sequence[str]) -> list[str]:
    """What of a command line and its environment must not be written."""
    found = [os.environ.get("SENDPOLL_TOKEN", ""), os.environ.get("SENDPOLL_SECOND_TOKEN", "")]
    found += os.environ.get("SENDPOLL_TOKENS", "").split(",")
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        option, _, attached = word.partition("=")
        value = attached or following
        if option in {"--token", "--second-token"}:
            found.append(value)
        elif option == "--header":
            found.append(value.partition(":")[2].strip())
    return [secret for secret in found if secret]


if __name__ == "__main__":
    main()
