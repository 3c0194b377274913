"""Judges a client: which situations are played for the rows that are asked for, and the report of what came of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sendpoll.conformance.client.client_report import Run, build_report
from sendpoll.conformance.client.judging.judge import judge
from sendpoll.conformance.client.judging.observation import Observation
from sendpoll.conformance.client.play import play_all
from sendpoll.conformance.client.running.program import Program
from sendpoll.conformance.client.situations.played import Settings
from sendpoll.conformance.client.situations.situation import CONTROL, Situation, load_situations
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from sendpoll.schemas.catalogue import Subject, load_catalogue

PATIENCE = 40.0
"""Seconds that a silence lasts and that a client may wait for what will not come: above the 30 s of the published
Python client, and short enough for a run of a minute."""


def chosen(judgement: Judgement) -> list[Situation]:
    """The situations that the asked rows need, the control first."""
    rows = {row.id for row in judgement.rows(load_catalogue(Subject.CLIENT))}
    return [one for one in load_situations() if one.name == CONTROL or rows.intersection(one.judges)]


def new_settings(patience: float) -> Settings:
    """Settings with a token that nobody has had before."""
    return Settings(f"sp-{secrets.token_hex(20)}", patience)


def judge_client(
    program: Program, judgement: Judgement, patience: float, seen: Callable[[Observation], None]
) -> Report:
    """The report on a client; `seen` is called as each situation is over."""
    started_at, began = datetime.now(UTC), time.monotonic()
    settings = new_settings(patience)
    observed: Sequence[Observation] = play_all(program, chosen(judgement), settings, seen)
    run = Run(program.name, settings.token, started_at, time.monotonic() - began)
    return build_report(observed, judge(observed), run, judgement)
