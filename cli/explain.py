"""`sendpoll explain`: one requirement."""

from __future__ import annotations

import sys

import click

from sendpoll.conformance.explain import UnknownRequirementError, explanation_text
from sendpoll.conformance.explain import explain as explain_requirement
from sendpoll.conformance.reporting.text import encodable

_EPILOG = """\b
Example:
  sendpoll explain POLL-8
"""


@click.command(epilog=_EPILOG)
@click.argument("identifier", metavar="ID")
def explain(identifier: str) -> None:
    """Tell everything about the requirement ID.

    Its sentence and reason, which clients break and how, how it is checked, and which faulty servers prove the check.
    """
    try:
        explanation = explain_requirement(identifier)
    except UnknownRequirementError as problem:
        raise click.UsageError(str(problem)) from problem
    click.echo(encodable(explanation_text(explanation), sys.stdout.encoding), nl=False)
