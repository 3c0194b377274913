"""`sendpoll explain`: one requirement."""

from __future__ import annotations

import sys

import click

from sendpoll.cli.help_page import Command
from sendpoll.cli.values import ANY_REQUIREMENT
from sendpoll.conformance.results.explain import explain as explain_requirement
from sendpoll.conformance.results.explain import explanation_text
from sendpoll.core.text.safe import encodable

_EXAMPLES = ("sendpoll explain POLL-8",)


@click.command(cls=Command, examples=_EXAMPLES, exit_codes={0: "told", 2: "usage, or no such requirement"})
@click.argument("identifier", metavar="ID", type=ANY_REQUIREMENT)
def explain(identifier: str) -> None:
    """Tell everything about the requirement ID.

    Its sentence and reason, which clients break and how, how it is checked, and which faulty servers prove the check.
    """
    click.echo(encodable(explanation_text(explain_requirement(identifier)), sys.stdout.encoding), nl=False)
