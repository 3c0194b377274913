"""The help of a command on one screen: its essentials by `--help`, every option in groups by `--help-all`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
"""A command's function, as what adds options to it hands it back."""

_ALL = "sendpoll.help_all"
_SHOWN_EXAMPLES = 2
_WIDEST_TERM = 24
"""Columns of an option and its metavar; what is longer stands on a line of its own."""


@dataclass(frozen=True, slots=True)
class Group:
    """Options that are about one thing, by the names of their parameters, in the order in which they are shown."""

    title: str
    essential: tuple[str, ...] = ()
    """Those that `--help` shows too."""
    more: tuple[str, ...] = ()
    """Those that only `--help-all` shows."""


class Command(click.Command):
    """A command whose `--help` fits a screen of 24 lines of 80 columns.

    `groups` name its options; what they do not name is always shown. `examples` are lines for a shell, the first two of
    which `--help` shows; `exit_codes` says what each means.
    """

    def __init__(
        self,
        *arguments: Any,
        groups: Sequence[Group] = (),
        examples: Sequence[str] = (),
        exit_codes: Mapping[int, str] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(*arguments, **settings)
        self.groups = tuple(groups)
        self.examples = tuple(examples)
        self.exit_codes = dict(exit_codes or {})
        if any(group.more for group in self.groups):
            self.params.append(_help_all())

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage, what the command does, its options, examples, and exit codes."""
        everything = bool(ctx.meta.get(_ALL))
        self.format_usage(ctx, formatter)
        paragraphs = inspect.cleandoc(self.help or "").split("\n\n")
        for paragraph in paragraphs if everything else paragraphs[:1]:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(paragraph)
        sections = self._all_options(ctx) if everything else {"Options": self._essential_options(ctx)}
        _write_sections(formatter, {title: rows for title, rows in sections.items() if rows})
        write_examples(formatter, self.examples if everything else self.examples[:_SHOWN_EXAMPLES])
        _write_exit_codes(formatter, self.exit_codes)

    def _all_options(self, ctx: click.Context) -> dict[str, list[tuple[str, str]]]:
        grouped = {group.title: self._records(ctx, group.essential + group.more) for group in self.groups}
        return {**grouped, "Options" if not self.groups else "Help": self._records(ctx, self._ungrouped(ctx))}

    def _essential_options(self, ctx: click.Context) -> list[tuple[str, str]]:
        named = [name for group in self.groups for name in group.essential]
        return self._records(ctx, [*named, *self._ungrouped(ctx)])

    def _ungrouped(self, ctx: click.Context) -> list[str]:
        grouped = {name for group in self.groups for name in group.essential + group.more}
        return [name for name in _options(self, ctx) if name not in grouped]

    def _records(self, ctx: click.Context, names: Sequence[str]) -> list[tuple[str, str]]:
        options = _options(self, ctx)
        return [record for name in names if (record := options[name].get_help_record(ctx))]


def write_examples(formatter: click.HelpFormatter, examples: Sequence[str]) -> None:
    """Write lines for a shell as they are: an example is for copying, so that none is wrapped."""
    if examples:
        formatter.write_paragraph()
        formatter.write_heading("Examples" if len(examples) > 1 else "Example")
        formatter.write("".join(f"  {line}\n" for line in examples))


def _options(command: click.Command, ctx: click.Context) -> dict[str, click.Option]:
    return {option.name or "": option for option in command.get_params(ctx) if isinstance(option, click.Option)}


def _write_sections(formatter: click.HelpFormatter, sections: Mapping[str, Sequence[tuple[str, str]]]) -> None:
    widest = max(len(term) for rows in sections.values() for term, _ in rows if len(term) <= _WIDEST_TERM)
    for title, rows in sections.items():
        with formatter.section(title):
            formatter.write_dl([(term.ljust(widest), told) for term, told in rows], col_max=widest)


def _write_exit_codes(formatter: click.HelpFormatter, exit_codes: Mapping[int, str]) -> None:
    if not exit_codes:
        return
    space, label = "\N{NO-BREAK SPACE}", "Exit codes:  "  # a code and its meaning stay on one line
    meanings = "   ".join(f"{code} {meaning}".replace(" ", space) for code, meaning in exit_codes.items())
    lines = click.formatting.wrap_text(meanings, formatter.width, label, " " * len(label))
    formatter.write_paragraph()
    formatter.write(lines.replace(space, " ") + "\n")


def _help_all() -> click.Option:
    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted and not ctx.resilient_parsing:
            ctx.meta[_ALL] = True
            click.echo(ctx.get_help(), color=ctx.color)
            ctx.exit()

    return click.Option(
        ["--help-all"], is_flag=True, is_eager=True, expose_value=False, callback=show, help="Show every option."
    )
