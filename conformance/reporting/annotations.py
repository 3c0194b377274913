"""Failed requirements as the workflow commands of GitHub Actions, which shows them on the run and the pull request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sendpoll.conformance.reporting.text import visible
from sendpoll.conformance.results import view
from sendpoll.schemas.contract import JSON


def wanted(environ: Mapping[str, str]) -> bool:
    """Whether the run is one of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


def workflow_commands(report: JSON) -> Iterator[str]:
    """A line a failed requirement: an error where it fails the run, a warning where it does not."""
    for row in view.rows_with(report, "fail"):
        kind = "error" if view.fails_run(report, row) else "warning"
        observed = row["violations"][0]["sentence"] if row["violations"] else ""
        told = f"{row['title']} Observed: {observed}"
        yield f"::{kind} title={_property(row['id'])}::{_message(told)}"


def _message(text: str) -> str:
    """Escaped as the runner reads it: a line end would end the command, and a new one could be forged behind it."""
    return visible(text, keep="\n").replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
