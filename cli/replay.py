"""`sendpoll replay`: a failure's exchanges again."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sendpoll.cli.help_page import Command
from sendpoll.cli.target_options import SERVER, made_ready, target_of, target_options
from sendpoll.cli.values import REQUIREMENT
from sendpoll.conformance.reporting.write import ReportError, read_report
from sendpoll.conformance.results.view import alike
from sendpoll.conformance.server.replay.recorded_request import ReplayError
from sendpoll.conformance.server.replay.replay import Now, failed_row, messages, replay_code
from sendpoll.conformance.server.replay.replay import replay as replay_row
from sendpoll.conformance.server.replay.replay_task import Recorded
from sendpoll.core.reports.console import Printer
from sendpoll.core.text.secrets import Redactor
from sendpoll.core.text.units import counted
from sendpoll.schemas.catalogue import Subject

_EXAMPLES = ("sendpoll replay report POLL-3 --url http://localhost:8091 --token T",)
_EXIT_CODES = {0: "fixed", 1: "still failing", 2: "usage", 3: "cannot tell, or not reachable"}
_STYLES = {Now.FIXED: "bold green", Now.STILL_FAILING: "bold red", Now.CANNOT_TELL: "bold yellow"}


@click.command(
    cls=Command,
    groups=(replace(SERVER, essential=("url", *SERVER.essential)),),
    examples=_EXAMPLES,
    exit_codes=_EXIT_CODES,
)
@click.argument("report", metavar="REPORT", type=click.Path(exists=True, path_type=Path))
@click.argument("identifier", metavar="ID", type=REQUIREMENT)
@click.option("--url", metavar="URL", help="The server to ask; the report's word for it is not taken.")
@target_options
def replay(report: Path, identifier: str, url: str | None, **options: Any) -> None:
    """Send the exchanges again that showed a failure, and say whether the server does it still.

    REPORT is a report.json, or the folder that it is in; ID is a requirement that failed in it. Messages among the
    exchanges are sent again too, and one for each task in which polls contradicted each other: they may cost what
    messages cost.
    """
    try:
        found = read_report(report)
        if found["subject"] == Subject.CLIENT:
            told = f"sendpoll client --only {identifier} --serve plays its situation again"
            raise ReplayError(f"{report} is about a client, to which nothing can be sent; {told}")
        row = failed_row(found, identifier)
    except (ReportError, ReplayError) as problem:
        raise click.UsageError(str(problem)) from problem
    described = target_of(url, options)
    if described is None:
        raise click.UsageError(
            f"the report is of {found['target']['url']}; name the server that is to have your token: --url, or --target"
        )
    target = made_ready(described, options)
    recorded = Recorded.of(found)
    redactor = Redactor(target.secrets)
    out = Printer(sys.stdout)
    out.block(row["id"], f"{row['title']} ({row['level']})", indent=0, style="bold")
    out.block(
        "target", f"{target.base_url}, {counted(messages(row, recorded), 'message')} among what is sent", indent=0
    )
    outcomes = []
    shown: set[tuple[str, ...]] = set()
    for outcome in replay_row(row, target, recorded):
        outcomes.append(outcome)
        kind = (alike(outcome.violation), alike(outcome.told), outcome.now)
        if kind not in shown:
            shown.add(kind)
            out.line("")
            out.block("then", redactor.text(outcome.violation))
            out.block("now", redactor.text(outcome.told))
            out.block("", str(outcome.now), style=_STYLES[outcome.now])
    outcome_counts = Counter(outcome.now for outcome in outcomes)
    out.line("")
    out.line(", ".join(f"{count} {now}" for now, count in outcome_counts.items()))
    raise SystemExit(int(replay_code(outcomes)))
