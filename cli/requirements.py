"""`sendpoll requirements`: the catalogue."""

from __future__ import annotations

import sys

import click

from sendpoll.cli.help_page import Command
from sendpoll.conformance.results.explain import catalogue_json, catalogue_markdown, catalogue_text
from sendpoll.core.text.safe import encodable
from sendpoll.schemas.catalogue import Subject, load_catalogue

_EXAMPLES = ("sendpoll requirements --level must --format markdown",)
_FORMATS = {"text": catalogue_text, "json": catalogue_json, "markdown": catalogue_markdown}


@click.command(cls=Command, examples=_EXAMPLES)
@click.option("--level", type=click.Choice(["must", "should"]), help="Rows of this level alone.")
@click.option("--format", "form", type=click.Choice(list(_FORMATS)), default="text", show_default=True)
@click.option("--clients", is_flag=True, help="What is asked of clients, not of servers.")
def requirements(level: str | None, form: str, clients: bool) -> None:
    """List the catalogue of requirements, one row each: id, level, which clients break, what the server must do.

    With --clients, what a client must do.
    """
    catalogue = load_catalogue(Subject.CLIENT if clients else Subject.SERVER)
    click.echo(encodable(_FORMATS[form](catalogue, level), sys.stdout.encoding), nl=False)
