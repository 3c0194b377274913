"""`sendpoll check`: judge a server by what the published clients need."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import sys
import threading
import time
from collections.abc import Iterator
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
from sendpoll.cli.repeated_command import repeated_command
from sendpoll.cli.target_options import SERVER, made_ready, target_of, target_options
from sendpoll.conformance.reporting.progress import Progress
from sendpoll.conformance.results.cut_short import cut_short
from sendpoll.conformance.results.report_json import Report
from sendpoll.conformance.rules.verdict import ExitCode
from sendpoll.conformance.server.dry_run import describe_run
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.probing.going_down import RESTART_MESSAGES, RESTART_WAIT, RestartOrder
from sendpoll.conformance.server.suite_run import SuiteRun
from sendpoll.core.interruption import Interruption, signal_name
from sendpoll.core.reports.files import ReportFileError
from sendpoll.core.target.target import Target
from sendpoll.core.target.traits import RequestPace
from sendpoll.core.target.url import TargetError
from sendpoll.schemas.catalogue import Subject, load_catalogue

_GROUPS = (
    dataclasses.replace(SERVER, more=("second_token", "origin", *SERVER.more)),
    JUDGE,
    Group(
        "Send",
        ("dry_run",),
        ("watch", "prompts", "max_messages", "max_rate", "examples", "seed", "deadline", "task_timeout"),
    ),
    Group("Restart", (), ("restart", "restart_wait")),
    REPORT,
)
_EXAMPLES = (
    "sendpoll check http://localhost:8091 --token T --report-dir report",
    "sendpoll check --target server.yaml --baseline known.yaml",
    "sendpoll check http://localhost:8091 --token T --watch",
    "sendpoll check http://localhost:8091 --token T --only POLL-8 --seed 1",
    "sendpoll check",
)
_PATIENCE = 2.0
"""Seconds that a run which was cut short may take to end by itself, before it is reported as it stands."""
_STARTING = 2.0
"""Seconds, at most, by which its own start shortens a run."""


@click.command(cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes=EXIT_CODES)
@click.argument("url", required=False)
@target_options
@judging_options(Subject.SERVER)
@click.option("--second-token", envvar="SENDPOLL_SECOND_TOKEN", metavar="T", help="Somebody else's, for ownership.")
@click.option("--origin", metavar="ORIGIN", help="Of the page that calls it: https://app.example.")
@click.option("--prompt", "prompts", multiple=True, metavar="KIND=TEXT", help="Message for plain, unicode or long.")
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Of everything that is drawn.  [default: another each run]"
)
@click.option(
    "--examples", type=click.IntRange(1), metavar="N", default=100, show_default=True, help="Per fuzzed property."
)
@click.option(
    "--max-messages",
    type=click.IntRange(1),
    metavar="N",
    help="Most messages to send.  [default: 16; 20 with --restart]",
)
@click.option(
    "--max-rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Most requests a second, in the mean."
)
@click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Of the run.  [default: 300]"
)
@click.option(
    "--task-timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Of a task.  [default: 120]"
)
@click.option("--restart", metavar="COMMAND", help="Of your shell, to restart the server by: judges RESTART rows too.")
@click.option(
    "--restart-wait",
    type=click.FloatRange(min=0, min_open=True),
    metavar="S",
    default=RESTART_WAIT,
    show_default=True,
    help="For it to answer again.",
)
@click.option("--watch", is_flag=True, help="Judge again whenever the server is started anew, or at a key.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
def check(**options: Any) -> None:
    """Tell whether the published clients will work with the server at URL.

    Without URL, and without a target file, a reference server is started and judged.
    """
    if options["dry_run"]:
        target = _described(options) or Target()
        click.echo(describe_run(target, judgement_of(options, Subject.SERVER), _restart(options)), nl=False)
        return
    if options["watch"]:
        raise SystemExit(_watch(options))
    with Interruption() as interruption, _target(options) as target:
        raise SystemExit(_judge(target, options, interruption))


def _watch(options: dict[str, Any]) -> int:
    from sendpoll.cli.watch import Watch

    target = _described(options)
    if target is None:
        raise click.UsageError("--watch needs a server that you start anew: name it by URL or --target")
    if options["write_baseline"] is not None:
        raise click.UsageError("--watch judges again and again; write the baseline with a run of its own")
    if options["restart"] is not None:
        raise click.UsageError("--watch waits for you to restart the server, --restart does it; leave one of them out")
    words = [word for word in sys.argv[1:] if word != "--watch"]
    with Interruption() as interruption:
        return Watch(target, words, options["report_dir"], failed_first=not options["only"]).run(interruption)


def _judge(target: Target, options: dict[str, Any], interruption: Interruption) -> int:
    known, previous = known_failures(options["baseline"], Subject.SERVER)
    judgement = judgement_of(options, Subject.SERVER)
    seed = options["seed"] if options["seed"] is not None else random.SystemRandom().getrandbits(32)
    _warn(target)
    check_writable(options)
    finishing = threading.Lock()
    with Progress(sys.stderr, rows=len(judgement.rows(load_catalogue()))) as progress:
        again = repeated_command(click.get_current_context())
        wanted = RunOptions(seed, options["examples"], judgement.only, again, _restart(options))
        run = SuiteRun(target, wanted, judgement, progress, began=_began(options))

        def finish(report: Report) -> int:
            finishing.acquire()  # for good: there is one end
            progress.close()
            return publish(_final(known(report), interruption), options, previous)

        streams = sys.stdout, sys.stderr

        def end_as_it_stands() -> None:
            sys.stdout, sys.stderr = streams  # pytest, which still runs, has put its own in their place
            try:
                code = finish(run.report())
            except ReportFileError as problem:
                click.echo(f"Error: {problem}", err=True)
                code = ExitCode.BROKEN
            os._exit(code)

        def cut(number: int) -> None:
            run.cut(signal_name(number))
            watchdog = threading.Timer(_PATIENCE, end_as_it_stands)
            watchdog.daemon = True
            watchdog.start()

        with interruption.during(cut):
            report = run.run()
        return finish(report)


def _restart(options: dict[str, Any]) -> RestartOrder | None:
    return RestartOrder(options["restart"], options["restart_wait"]) if options["restart"] else None


def _final(report: Report, interruption: Interruption) -> Report:
    return report if interruption.number is None else cut_short(report, interruption.number)


def _began(options: dict[str, Any]) -> float:
    """The moment from which the run's deadline counts: what it takes to start is the user's time too.

    What a reference server takes that is started first is not, nor all of it where the machine is busy elsewhere.
    """
    now = time.monotonic()
    begun: float | None = click.get_current_context().obj
    return now if begun is None or _described(options) is None else max(begun, now - _STARTING)


def _warn(target: Target) -> None:
    if not target.verify_tls:
        click.echo("Warning: --insecure: the server's certificate is not verified.", err=True)


def _described(options: dict[str, Any]) -> Target | None:
    """The target that was described, with what only `check` is told; None where a server is to be started."""
    target = target_of(options["url"], options)
    return None if target is None else _with_run(target, options)


def _with_run(target: Target, options: dict[str, Any]) -> Target:
    timeouts = {"run": options["deadline"], "task": options["task_timeout"]}
    patience = dataclasses.replace(target.timeouts, **{name: value for name, value in timeouts.items() if value})
    changes = {name: options[name] for name in ("second_token", "max_messages", "origin")}
    if options["restart"] and not changes["max_messages"] and target.max_messages == Target().max_messages:
        changes["max_messages"] = target.max_messages + RESTART_MESSAGES
    if options["max_rate"]:
        pace = RequestPace(options["max_rate"])
        target = dataclasses.replace(target, traits=dataclasses.replace(target.traits, pace=pace))
    try:
        return dataclasses.replace(
            target,
            timeouts=patience,
            prompts={**target.prompts, **dict(map(_prompt, options["prompts"]))},
            **{name: value for name, value in changes.items() if value},
        )
    except TargetError as problem:
        raise click.UsageError(str(problem)) from problem


def _prompt(text: str) -> tuple[str, str]:
    kind, equals, message = text.partition("=")
    if kind not in {"plain", "unicode", "long"} or not equals or not message:
        raise click.UsageError(f"--prompt {text!r}: write it as KIND=TEXT, KIND being plain, unicode or long")
    return kind, message


@contextlib.contextmanager
def _target(options: dict[str, Any]) -> Iterator[Target]:
    """The target that was described, or a reference server for the length of the run."""
    described = _described(options)
    if described is not None:
        yield made_ready(described, options)
        return
    from sendpoll.reference_server.embedded import spawned
    from sendpoll.reference_server.settings import Settings

    tokens = ("reference-token", "another-reference-token")
    settings = Settings(tokens=tokens, port=0, chunks=20, chunk_interval=0.03)
    with spawned(settings) as url:
        own = Target(base_url=url, token=tokens[0], second_token=tokens[1])
        click.echo(f"No server was named: a reference server was started at {url}.", err=True)
        yield _with_run(own, options)
