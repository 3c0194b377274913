"""`sendpoll check`: judge a server by what the published clients need."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sendpoll.cli.help_page import Command, Group
from sendpoll.cli.target_options import SERVER, target_of, target_options
from sendpoll.cli.values import REQUIREMENT
from sendpoll.conformance.reporting.annotations import workflow_commands
from sendpoll.conformance.reporting.progress import Progress
from sendpoll.conformance.reporting.terminal import print_summary
from sendpoll.conformance.reporting.write import write_reports
from sendpoll.conformance.results.baseline import Baseline, BaselineError, apply_baseline, load_baseline, write_baseline
from sendpoll.conformance.server.dry_run import describe_run
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.report import Judgement
from sendpoll.conformance.server.run import check as run_check
from sendpoll.core.reports.ci_log import is_github
from sendpoll.core.reports.files import UnwrittenError, make_folder, printed_anyway, try_folder, write_file
from sendpoll.core.reports.streams import write_command
from sendpoll.core.target.target import Target
from sendpoll.schemas.catalogue import Level, load_catalogue
from sendpoll.schemas.contract import JSON

_GROUPS = (
    dataclasses.replace(SERVER, more=("second_token", *SERVER.more)),
    Group("Judge", ("level", "strict", "only", "baseline"), ("write_baseline",)),
    Group("Send", ("dry_run",), ("prompts", "max_messages", "examples", "seed", "deadline", "task_timeout")),
    Group("Report", ("report_dir",)),
)
_EXAMPLES = (
    "sendpoll check http://localhost:8091 --token T --report-dir report",
    "sendpoll check --target server.yaml --baseline known.yaml",
    "sendpoll check http://localhost:8091 --token T --only POLL-8 --seed 1",
    "sendpoll check",
)
_EXIT_CODES = {
    0: "conformant",
    1: "a requirement failed",
    2: "usage",
    3: "nothing can be said",
    4: "the suite itself broke",
}
_STARTING = 2.0
"""Seconds, at most, by which its own start shortens a run."""
_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("url", required=False)
@target_options
@click.option("--second-token", envvar="SENDPOLL_SECOND_TOKEN", metavar="T", help="Somebody else's, for ownership.")
@click.option(
    "--level", type=click.Choice(["must", "should"]), default="should", show_default=True, help="Rows to judge."
)
@click.option("--strict", is_flag=True, help="A failed SHOULD row fails the run too.")
@click.option("--only", multiple=True, type=REQUIREMENT, metavar="ID", help="Judge this row alone; repeatable.")
@click.option("--prompt", "prompts", multiple=True, metavar="KIND=TEXT", help="Message for plain, unicode or long.")
@click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Of everything that is drawn.  [default: another each run]"
)
@click.option(
    "--examples", type=click.IntRange(1), metavar="N", default=100, show_default=True, help="Per fuzzed property."
)
@click.option("--max-messages", type=click.IntRange(1), metavar="N", help="Most messages to send.  [default: 16]")
@click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Of the run.  [default: 300]"
)
@click.option(
    "--task-timeout", type=click.FloatRange(min=0, min_open=True), metavar="S", help="Of a task.  [default: 120]"
)
@click.option("--baseline", type=_FILE, metavar="FILE", help="Known failures (YAML): only others fail the run.")
@click.option("--write-baseline", type=_FILE, metavar="FILE", help="Write the failures of this run as known ones.")
@click.option("--report-dir", type=_FOLDER, metavar="DIR", help="Write JSON, HTML, JUnit, Markdown and a badge.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent, and send nothing.")
def check(**options: Any) -> None:
    """Tell whether the published clients will work with the server at URL.

    Without URL, and without a target file, a reference server is started and judged.
    """
    if options["dry_run"]:
        target = _described(options) or Target()
        click.echo(describe_run(target, _only(options)), nl=False)
        return
    with _target(options) as target:
        raise SystemExit(_judge(target, options))


def _judge(target: Target, options: dict[str, Any]) -> int:
    known, previous = _known_failures(options["baseline"])
    only = _only(options)
    seed = options["seed"] if options["seed"] is not None else random.SystemRandom().getrandbits(32)
    judgement = Judgement(options["level"], options["strict"], only)
    _warn(target)
    _check_writable(options)
    with Progress(sys.stderr, rows=len(only) or len(load_catalogue().checked)) as progress:
        run = RunOptions(seed, options["examples"], only)
        report: JSON = run_check(target, run, judgement, progress, began=_began(options))
    report = known(report)
    with printed_anyway(lambda: _print(report, options["report_dir"])):
        if options["write_baseline"]:
            _save_baseline(options["write_baseline"], write_baseline(report, previous))
        if options["report_dir"]:
            write_reports(report, options["report_dir"])
    return int(report["exit_code"])


def _print(report: JSON, folder: Path | None) -> None:
    print_summary(report, sys.stdout, folder)
    if is_github(os.environ):
        for line in workflow_commands(report):
            write_command(line, sys.stdout)


def _save_baseline(path: Path, text: str) -> None:
    try:
        write_file(path, text)
    except OSError as error:
        raise UnwrittenError({path: error.strerror or str(error)}) from error


def _began(options: dict[str, Any]) -> float:
    """The moment from which the run's deadline counts: what it takes to start is the user's time too.

    What a reference server takes that is started first is not, nor all of it where the machine is busy elsewhere.
    """
    now = time.monotonic()
    begun: float | None = click.get_current_context().obj
    return now if begun is None or _described(options) is None else max(begun, now - _STARTING)


def _known_failures(path: Path | None) -> tuple[Callable[[JSON], JSON], Baseline | None]:
    """What makes of a report one that knows of the failures in a file, and those; read before anything is sent."""
    if path is None:
        return lambda report: report, None
    try:
        baseline = load_baseline(path)
    except BaselineError as error:
        raise click.UsageError(str(error)) from error
    return lambda report: apply_baseline(report, baseline, datetime.now(UTC).date()), baseline


def _check_writable(options: dict[str, Any]) -> None:
    """Refuse what cannot be written to before anything is sent: a run may be long, and may have cost money."""
    baseline = options["write_baseline"]
    for option, folder in (("--report-dir", options["report_dir"]), ("--write-baseline", baseline and baseline.parent)):
        if folder is not None:
            try:
                (make_folder if option == "--report-dir" else try_folder)(folder)
            except OSError as error:
                told = error.strerror or error
                raise click.UsageError(f"{option} {folder}: {told}; name a place that can be written") from error


def _warn(target: Target) -> None:
    if not target.verify_tls:
        click.echo("Warning: --insecure: the server's certificate is not verified.", err=True)


def _only(options: dict[str, Any]) -> frozenset[str]:
    known = load_catalogue().by_id
    for identifier in options["only"]:
        if known[identifier].excluded:
            raise click.UsageError(f"--only {identifier}: it has no check: {known[identifier].excluded}")
    if (
        options["only"]
        and options["level"] == "must"
        and not any(known[row].level is Level.MUST for row in options["only"])
    ):
        rows = " and ".join(options["only"])
        raise click.UsageError(
            f"--only {rows} with --level must leaves nothing to judge: SHOULD rows; leave --level out"
        )
    return frozenset(options["only"])


def _described(options: dict[str, Any]) -> Target | None:
    """The target that was described, with what only `check` is told; None where a server is to be started."""
    target = target_of(options["url"], options)
    return None if target is None else _with_run(target, options)


def _with_run(target: Target, options: dict[str, Any]) -> Target:
    timeouts = {"run": options["deadline"], "task": options["task_timeout"]}
    patience = dataclasses.replace(target.timeouts, **{name: value for name, value in timeouts.items() if value})
    changes = {"second_token": options["second_token"], "max_messages": options["max_messages"]}
    return dataclasses.replace(
        target,
        timeouts=patience,
        prompts={**target.prompts, **dict(map(_prompt, options["prompts"]))},
        **{name: value for name, value in changes.items() if value},
    )


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
        yield described
        return
    from sendpoll.reference_server.embedded import spawned  # noqa: PLC0415 - a named target needs no server
    from sendpoll.reference_server.settings import Settings  # noqa: PLC0415

    tokens = ("reference-token", "another-reference-token")
    settings = Settings(tokens=tokens, port=0, chunks=20, chunk_interval=0.03)
    with spawned(settings) as url:
        own = Target(base_url=url, token=tokens[0], second_token=tokens[1])
        click.echo(f"No server was named: a reference server was started at {url}.", err=True)
        yield _with_run(own, options)
