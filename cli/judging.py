"""The options that say by what somebody is judged and what is made of it; whatever judges shares them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from sendpoll.cli.help_page import Decorated, Group
from sendpoll.cli.values import ANY_REQUIREMENT, CLIENT_REQUIREMENT, REQUIREMENT
from sendpoll.conformance.reporting.annotations import workflow_commands
from sendpoll.conformance.reporting.terminal import print_summary
from sendpoll.conformance.reporting.write import write_reports
from sendpoll.conformance.results.baseline import Baseline, BaselineError, apply_baseline, load_baseline, write_baseline
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from sendpoll.core.reports.ci_log import is_github
from sendpoll.core.reports.files import UnwrittenError, make_folder, printed_anyway, try_folder, write_file
from sendpoll.core.reports.streams import write_command
from sendpoll.schemas.catalogue import Level, Subject, load_catalogue

_FILE = click.Path(dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)

_ROWS = {Subject.SERVER: REQUIREMENT, Subject.CLIENT: CLIENT_REQUIREMENT, Subject.TRAFFIC: ANY_REQUIREMENT}

EXIT_CODES = {
    0: "conformant",
    1: "a requirement failed",
    2: "usage",
    3: "nothing can be said",
    4: "the suite itself broke",
}
JUDGE = Group("Judge", ("level", "strict", "only", "baseline"), ("write_baseline",))
REPORT = Group("Report", ("report_dir",))
"""Where these options stand in the help of a command."""


def judging_options(subject: Subject) -> Callable[[Decorated], Decorated]:
    """Give a command the options that the functions here read."""
    rows = _ROWS[subject]
    options = (
        click.option(
            "--level", type=click.Choice(["must", "should"]), default="should", show_default=True, help="Rows to judge."
        ),
        click.option(
            "--strict", is_flag=True, help="A failed SHOULD row fails the run; one not exercised leaves it open (3)."
        ),
        click.option("--only", multiple=True, type=rows, metavar="ID", help="Judge this row alone; repeatable."),
        click.option("--baseline", type=_FILE, metavar="FILE", help="Known failures (YAML): only others fail the run."),
        click.option("--write-baseline", type=_FILE, metavar="FILE", help="Write this run's failures as known ones."),
        click.option("--report-dir", type=_FOLDER, metavar="DIR", help="Write JSON, HTML, JUnit, Markdown, badge."),
    )

    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def judgement_of(options: Mapping[str, Any], subject: Subject) -> Judgement:
    """By what the run is judged. Raises click.UsageError where nothing would be left to judge."""
    known, only = load_catalogue(subject).by_id, options["only"]
    asking = {row.asked_by for row in known.values() if row.asked_by}
    given = frozenset(option for option in asking if options.get(option.removeprefix("--")))
    for identifier in only:
        if known[identifier].excluded:
            raise click.UsageError(f"--only {identifier}: it has no check: {known[identifier].excluded}")
        if (option := known[identifier].asked_by) and option not in given:
            raise click.UsageError(f"--only {identifier}: it is judged only with {option}")
    if only and options["level"] == "must" and not any(known[row].level is Level.MUST for row in only):
        rows = " and ".join(only)
        raise click.UsageError(
            f"--only {rows} with --level must leaves nothing to judge: SHOULD rows; leave --level out"
        )
    return Judgement(options["level"], options["strict"], frozenset(only), given)


def known_failures(path: Path | None, subject: Subject) -> tuple[Callable[[Report], Report], Baseline | None]:
    """What makes of a report one that knows of the failures in a file, and those; read before anything is sent."""
    if path is None:
        return lambda report: report, None
    try:
        baseline = load_baseline(path, subject)
    except BaselineError as error:
        raise click.UsageError(str(error)) from error
    return lambda report: apply_baseline(report, baseline, datetime.now(UTC).date()), baseline


def check_writable(options: Mapping[str, Any]) -> None:
    """Refuse what cannot be written to before anything is sent: a run may be long, and may have cost money."""
    baseline = options["write_baseline"]
    for option, folder in (("--report-dir", options["report_dir"]), ("--write-baseline", baseline and baseline.parent)):
        if folder is not None:
            try:
                (make_folder if option == "--report-dir" else try_folder)(folder)
            except OSError as error:
                told = error.strerror or error
                raise click.UsageError(f"{option} {folder}: {told}; name a place that can be written") from error


def publish(report: Report, options: Mapping[str, Any], previous: Baseline | None) -> int:
    """Write what was asked for and print the summary, also where nothing can be written; the exit code."""
    with printed_anyway(lambda: _print(report, options["report_dir"])):
        if options["write_baseline"]:
            _save_baseline(options["write_baseline"], write_baseline(report, previous))
        if options["report_dir"]:
            write_reports(report, options["report_dir"])
    return int(report["exit_code"])


def _print(report: Report, folder: Path | None) -> None:
    print_summary(report, sys.stdout, folder)
    if is_github(os.environ):
        for line in workflow_commands(report):
            write_command(line, sys.stdout)


def _save_baseline(path: Path, text: str) -> None:
    try:
        write_file(path, text)
    except OSError as error:
        raise UnwrittenError({path: error.strerror or str(error)}) from error
