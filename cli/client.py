"""`sendpoll client`: judge a client by what right servers and the network do to it."""

from __future__ import annotations

import dataclasses
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from sendpoll.cli.help_page import Command, Group
from sendpoll.cli.judging import (
    EXIT_CODES,
    JUDGE,
    REPORT,
    check_writable,
    judgement_of,
    judging_options,
    known_failures,
    publish,
)
from sendpoll.conformance.client.client_run import PATIENCE, chosen, judge_client, new_settings
from sendpoll.conformance.client.judging.expectation import missed
from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.client.listen import SituationServer
from sendpoll.conformance.client.preview import describe_run
from sendpoll.conformance.client.running.adapter import Adapter
from sendpoll.conformance.client.running.command import Command as CommandLine
from sendpoll.conformance.client.running.program import Program, ProgramError
from sendpoll.conformance.client.serve import Stand
from sendpoll.conformance.reporting.progress import Progress
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from sendpoll.schemas.catalogue import Subject

_GROUPS = (
    Group("Client", ("browser", "adapter"), ("listen", "serve")),
    dataclasses.replace(JUDGE, essential=("only", "baseline"), more=("level", "strict", *JUDGE.more)),
    Group("Play", ("dry_run",), ("patience",)),
    REPORT,
)
_EXAMPLES = (
    "sendpoll client --report-dir report -- python client.py",
    "sendpoll client --only C-24 --serve",
    "sendpoll client --browser http://localhost:3000/",
    "sendpoll client --adapter -- node adapter.mjs",
)
_TERMINATED = 143
"""As a shell says of a program that SIGTERM ended."""
_SECONDS = click.FloatRange(min=1)


@click.command(cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes=EXIT_CODES)
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[-- COMMAND...]")
@click.option("--browser", metavar="URL", help="A page, opened in an installed Chromium.")
@click.option("--adapter", is_flag=True, help="COMMAND stays one process and speaks JSON lines.")
@click.option("--listen", is_flag=True, help="Serve all to an app that is pointed at each by hand.")
@click.option("--serve", is_flag=True, help="Keep the servers of the chosen rows up, and say what to run.")
@judging_options(Subject.CLIENT)
@click.option("--patience", type=_SECONDS, default=PATIENCE, show_default=True, metavar="S", help="Longest silence.")
@click.option("--dry-run", is_flag=True, help="Say what would be played, and run nothing.")
def client(command: Sequence[str], **options: Any) -> None:
    """Tell whether a client gets the whole answer of right servers, over a network as networks are.

    COMMAND is run once a situation, with SENDPOLL_URL, SENDPOLL_TOKEN, SENDPOLL_WORKSPACE, SENDPOLL_MESSAGE and, in one
    of them, SENDPOLL_CONVERSATION in its environment. It sends the message, prints the answer to standard output,
    whatever else it has to say to standard error, and ends with 0 if the user has the answer.
    """
    judgement = judgement_of(options, Subject.CLIENT)
    if options["dry_run"]:
        click.echo(describe_run(chosen(judgement), options["patience"]), nl=False)
        return
    if options["serve"] or options["listen"]:
        _stand(judgement, options)
        return
    raise SystemExit(_judge(command, judgement, options))


def _judge(command: Sequence[str], judgement: Judgement, options: dict[str, Any]) -> int:
    known, previous = known_failures(options["baseline"], Subject.CLIENT)
    check_writable(options)
    with (
        _ended_by_sigterm(),
        _program(command, options) as program,
        Progress(sys.stderr, rows=len(chosen(judgement)), noun="situation") as progress,
    ):
        progress.phase("playing")

        def seen(observation: Observation) -> None:
            for _ in observation.served:
                progress.request()
            progress.row(failed=bool(not observation.impossible and missed(observation)))

        report: Report = judge_client(program, judgement, options["patience"], seen)
    return publish(known(report), options, previous)


@contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the run as Ctrl-C does, so that no program that it started goes on."""

    def end(*_: object) -> None:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _program(command: Sequence[str], options: dict[str, Any]) -> Iterator[Program]:
    """The client that the options and the command describe. Raises click.UsageError."""
    if bool(command) == bool(options["browser"]):
        raise click.UsageError("give either a command behind --, such as -- python client.py, or --browser URL")
    if options["browser"] and options["adapter"]:
        raise click.UsageError("--adapter is about a command, and --browser about a page; leave one of them out")
    try:
        program = _opened(command, options)
        try:
            yield program
        finally:
            program.close()
    except ProgramError as error:
        raise click.UsageError(str(error)) from error


def _opened(command: Sequence[str], options: dict[str, Any]) -> Program:
    if not options["browser"]:
        return Adapter(command) if options["adapter"] else CommandLine(command)
    from sendpoll.conformance.client.running.browser import Browser

    return Browser(options["browser"])


def _stand(judgement: Judgement, options: dict[str, Any]) -> None:
    """Keep servers up until Ctrl-C."""
    if options["serve"] and options["listen"]:
        raise click.UsageError("--serve keeps the servers of --only up, --listen those of all; leave one of them out")
    if options["serve"] and not judgement.only:
        raise click.UsageError("--serve needs --only ID: the row whose situations are to be kept up")
    asked = [one for one in chosen(judgement) if options["listen"] or judgement.only.intersection(one.judges)]
    stand = SituationServer if options["listen"] else Stand
    with stand(asked, new_settings(options["patience"]), click.echo) as servers:
        click.echo(servers.told, nl=False)
        servers.wait()
