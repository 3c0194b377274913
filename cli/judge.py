"""`sendpoll judge`: tell from recordings what went wrong, and whose fault it was."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
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
from sendpoll.conformance.recordings.judge_files import judge_files
from sendpoll.conformance.recordings.reading.recording_file import size_of
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.reporting.progress import Progress
from sendpoll.conformance.results.cut_short import cut_short
from sendpoll.core.files.errors import FileError
from sendpoll.core.interruption import Interruption
from sendpoll.core.target.url import TargetError, check_url
from sendpoll.schemas.catalogue import Subject

_GROUPS = (Group("Recording", ("url", "token_env")), JUDGE, REPORT)
_EXAMPLES = (
    "sendpoll judge browser.har --report-dir report",
    "sendpoll judge flows --url https://agent.example --token-env MY_TOKEN",
    "sendpoll judge recording.ndjson --only POLL-5",
)
_EXITS = {**EXIT_CODES, 0: "nobody at fault", 1: "somebody at fault"}
_MEGABYTE = 1_000_000
_OBJECTS = 100_000
"""Objects that are made before cycles are looked for: exchanges hold none, and looking took an eighth of the time."""
_TOKENS = ("SENDPOLL_TOKEN", "SENDPOLL_SECOND_TOKEN")


@click.command(cls=Command, groups=_GROUPS, examples=_EXAMPLES, exit_codes=_EXITS)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True, path_type=Path))
@click.option("--url", metavar="URL", help="Base URL of the server.  [default: where most calls went]")
@click.option("--token-env", multiple=True, metavar="NAME", help="Variable with a secret to mask, beside tokens seen.")
@judging_options(Subject.TRAFFIC)
def judge(files: Sequence[Path], **options: Any) -> None:
    """Tell from recordings whether the server or the client was at fault.

    FILE is a HAR of a browser or a proxy, a flow file of mitmproxy, NDJSON of an exchange a line, a report.json of ours
    or a tasks.jsonl of load; - is standard input. Nothing is sent to anybody.
    """
    with Interruption() as interruption:
        raise SystemExit(_judge(files, options, interruption))


def _judge(files: Sequence[Path], options: dict[str, Any], interruption: Interruption) -> int:
    known, previous = known_failures(options["baseline"], Subject.TRAFFIC)
    judgement, base_url = judgement_of(options, Subject.TRAFFIC), options["url"]
    secrets = _secrets(options["token_env"])
    check_writable(options)
    if base_url is not None:
        try:
            check_url(base_url)
        except TargetError as problem:
            raise click.UsageError(f"--url: {problem}") from problem
    gc.set_threshold(_OBJECTS)
    sizes = [size_of(path) for path in files]
    total = None if None in sizes else -(-sum(size or 0 for size in sizes) // _MEGABYTE)
    with Progress(sys.stderr, rows=total, noun="megabyte") as progress, interruption.during(lambda _: None):
        progress.phase("reading")
        read = 0

        def on_read(count: int) -> None:
            nonlocal read
            for _ in range((read + count) // _MEGABYTE - read // _MEGABYTE):
                progress.row()
            read += count

        def on_exchange() -> bool:
            progress.request()
            return interruption.number is None

        judge = TrafficJudge(judgement, secrets=secrets, base_url=base_url)
        try:
            report = judge_files(files, judge, on_read, on_exchange)
        except FileError as problem:
            raise click.UsageError(str(problem)) from problem
    if interruption.number is not None:
        report = cut_short(report, interruption.number)
    return publish(known(report), options, previous)


def _secrets(names: Sequence[str]) -> list[str]:
    """The values of the variables that hold secrets. Raises click.UsageError for one that was named and is not set."""
    for name in names:
        if not os.environ.get(name):
            raise click.UsageError(f"--token-env {name}: no such variable is set; name the one that holds the token")
    return [value for name in (*names, *_TOKENS) if (value := os.environ.get(name))]
