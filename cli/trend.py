"""`sendpoll trend`: what many runs say together, and whether the newest ones are worse."""

from __future__ import annotations

from pathlib import Path

import click

from sendpoll.cli.help_page import Command
from sendpoll.cli.load_options import told_plainly
from sendpoll.core.reports.console import consoles
from sendpoll.core.reports.files import make_folder, printed_anyway

_EXAMPLES = ("sendpoll trend results/ --report-dir trend", "sendpoll trend results/*/result.json --recent 5")
_EXIT_CODES = {0: "nothing got worse of late", 1: "something did", 2: "usage", 3: "too few runs to tell"}
_PATH = click.Path(exists=True, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command(cls=Command, examples=_EXAMPLES, exit_codes=_EXIT_CODES)
@click.argument("paths", metavar="RESULT|DIR...", nargs=-1, required=True, type=_PATH)
@click.option("--recent", type=click.IntRange(1), metavar="N", default=20, show_default=True,
              help="Fail on changes within so many runs; older ones are told.")  # fmt: skip
@click.option("--least-change", type=click.FloatRange(0, 100), metavar="PERCENT", default=5.0, show_default=True,
              help="Smaller changes do not count.")  # fmt: skip
@click.option("--report-dir", type=_FOLDER, metavar="DIR", help="Write JSON, HTML, and files for other services.")
def trend(paths: tuple[Path, ...], recent: int, least_change: float, report_dir: Path | None) -> None:
    """Follow the numbers of many result.json and plan.json, run by run.

    Runs of one workload are put in the order of time, and a change is told where the level of a number before it and
    the one after it differ by more than chance makes of them. Folders are searched all the way down.

    With --report-dir, bencher.json and benchmark-smaller-is-better.json and benchmark-bigger-is-better.json hold the
    newest run for Bencher and for github-action-benchmark.
    """
    from sendpoll.load.trend.history import TrendError, read_histories
    from sendpoll.load.trend.trend_report import print_trend, write_trend
    from sendpoll.load.trend.trend_result import trend_of

    try:
        histories, skipped = read_histories(paths)
    except TrendError as problem:
        raise click.UsageError(str(problem)) from problem
    told, code = trend_of(histories, skipped, recent=recent, least_change=least_change / 100)
    out, _ = consoles()
    with told_plainly(report_dir), printed_anyway(lambda: print_trend(told, out)):
        if report_dir:
            make_folder(report_dir)
            write_trend(told, report_dir)
    raise SystemExit(code)
