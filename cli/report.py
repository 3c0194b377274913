"""`sendpoll report`: what is made of reports that were written before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from sendpoll.cli.help_page import Command, write_examples
from sendpoll.conformance.reporting.comparison_page import PAGE_NAME, write_comparison
from sendpoll.conformance.reporting.write import REPORT_NAME, ReportError, read_report
from sendpoll.conformance.results.comparison import ComparisonError, Entry, compare
from sendpoll.core.text.units import counted

_NAME: Final = re.compile(r"[\w][\w .+-]{0,59}")
_EXAMPLES = (
    "sendpoll report merge reports/* --report-dir site",
    "sendpoll report merge ours=report theirs=other/report.json --report-dir site",
)
_EXIT_CODES = {0: "written", 2: "usage, or what is no report", 4: "not written"}


class _Reports(click.Group):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        write_examples(formatter, _EXAMPLES[:1])


@click.group(cls=_Reports)
def report() -> None:
    """Make one page of many reports."""


@report.command(cls=Command, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("reports", nargs=-1, required=True, metavar="[NAME=]REPORT...")
@click.option(
    "--report-dir", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", required=True, help="Of the page."
)
def merge(reports: Sequence[str], report_dir: Path) -> None:
    """Make one page of the reports of many servers, or of many clients: rows, verdicts and a badge each.

    REPORT is a report.json, or the folder that it is in. Its name is that of the folder, or NAME.
    """
    try:
        comparison = compare([_entry(text) for text in reports])
    except (ReportError, ComparisonError) as problem:
        raise click.UsageError(str(problem)) from problem
    write_comparison(comparison, report_dir)
    click.echo(f"{counted(len(comparison.entries), 'report')} in {report_dir / PAGE_NAME}")


def _entry(text: str) -> Entry:
    given, equals, behind = text.partition("=")
    path = Path(text) if Path(text).exists() or not equals else Path(behind)
    name = _default_name(path) if path == Path(text) else given
    if not _NAME.fullmatch(name):
        raise click.UsageError(f"{text}: {name!r} cannot name a badge's file; give another name, as in first={path}")
    return Entry(name, read_report(path))


def _default_name(path: Path) -> str:
    """The folder's, or the file's where it is not called as reports are."""
    whole = path.resolve()
    if whole.is_dir():
        return whole.name
    return whole.parent.name if whole.name == REPORT_NAME else whole.stem
