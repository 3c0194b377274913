"""The command `sendpoll` and its subcommands, each imported only when it is called or listed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType

import click

_COMMANDS: Mapping[str, str] = MappingProxyType(
    {
        "check": "Tell whether the published clients will work with a server.",
        "load": "Hold load on a server and judge it by objectives.",
        "plan": "Find how many users a server holds within its objectives.",
        "serve": "Run the reference server.",
        "requirements": "List the catalogue of requirements.",
        "explain": "Tell everything about one requirement.",
        "replay": "Send a failure's exchanges again.",
        "doctor": "Measure what this machine can generate.",
        "locustfile": "Print a locustfile for plain Locust.",
    }
)
"""Each command, a module of the same name, and its line in the list: to list them must not import them all."""


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

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - the same
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_EPILOG = """\b
Example:
  sendpoll check http://localhost:8091 --token T
"""


@click.group(cls=_Lazy, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sendpoll")
def cli() -> None:
    """Conformance checks, load tests and capacity plans for servers of the send-and-poll agent API."""


def main() -> None:
    """Run the command line. Ctrl-C ends it with 130, a closed pipe quietly, and nothing with a traceback."""
    try:
        cli.main(prog_name="sendpoll", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code if isinstance(error, click.UsageError) else 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
