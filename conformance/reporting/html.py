"""The report as one HTML file that needs nothing else, and in which nothing that a server said can run.

Three things hold that: every expression is escaped, every text is first made visible, and the policy in the page allows
the one script whose hash it names.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sendpoll.conformance.reporting import timeline
from sendpoll.conformance.reporting.text import one_line, plural, visible
from sendpoll.conformance.results import view
from sendpoll.conformance.rules.verdict import Verdict
from sendpoll.schemas.catalogue import CLIENTS
from sendpoll.schemas.contract import JSON

_SHOWN_ROWS = 150
"""Polls of one task that the table under its chart lists."""


def html_report(report: JSON) -> str:
    """The whole page."""
    script = _file("report.js")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            rows=view.ranked(report),
            failed=[row for row in view.ranked(report) if row["verdict"] == Verdict.FAIL],
            counts=view.counts(report),
            broken=view.broken_clients(report),
            timelines=[timeline.timeline(task) for task in report["tasks"]],
            chart=timeline,
            clients=CLIENTS,
            tried=view.tried(),
            labels=view.LABELS,
            kinds=view.kinds,
            is_known=functools.partial(view.is_known, report),
            known_reason=functools.partial(view.known_reason, report),
            shown_rows=_SHOWN_ROWS,
            # Both are files of ours, and their text must stay as it is for the hash to hold.
            style=Markup(_file("report.css")),  # noqa: S704
            script=Markup(script),  # noqa: S704
            script_hash=_sha256(script),
        )
    )


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("sendpoll.conformance.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters.update(plural=plural, one_line=one_line)
    return environment


def _shown(value: Any) -> Any:
    """Every text of the page goes through here, so that none can be forgotten."""
    return visible(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


@functools.cache
def _file(name: str) -> str:
    return importlib.resources.files("sendpoll.conformance.reporting").joinpath("templates", name).read_text("utf-8")


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
