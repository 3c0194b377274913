"""What is written for people: a summary on standard output, progress on standard error.

Colours only on a terminal, and not where NO_COLOR is set; 80 columns of plain text elsewhere. No text can act on who
reads it: whatever is not a style or a cursor movement of our own is made visible on its way out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import Final, Literal, TextIO

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from sendpoll.core.reports.streams import for_console
from sendpoll.core.text.safe import encodable, visible

COLUMNS: Final = 80
"""Where no terminal says how wide it is."""
_WIDEST: Final = 110
Side = Literal["left", "right"]
_LABEL: Final = 10
"""Columns of the words that stand in front of the lines of a block."""


class SafeConsole(Console):
    """A console that adds nothing of its own: no markup, no highlighting, no colour that was not asked for."""

    def on_broken_pipe(self) -> None:
        """Leave it to the command: Rich would exit with 1, which is a verdict here."""
        raise  # noqa: PLE0704 - Rich calls this while it handles the BrokenPipeError

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Whatever a renderable holds, as text that can only be read."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(encodable(visible(segment.text, keep="\n"), self.encoding), segment.style)

    def print_lines(self, body: RenderableType) -> None:
        """Write a body; where no terminal reads it, without the spaces with which tables fill their lines."""
        if self.is_terminal:
            self.print(body)
            return
        with self.capture() as captured:
            self.print(body)
        lines = (line.rstrip() for line in captured.get().splitlines())
        self.file.write("".join(f"{line}\n" for line in lines))
        self.file.flush()


def console_for(stream: TextIO) -> SafeConsole:
    """The console on a stream."""
    plain = bool(os.environ.get("NO_COLOR"))
    console = SafeConsole(
        file=for_console(stream), color_system=None if plain else "auto", highlight=False, markup=False, emoji=False
    )
    console.width = min(console.width, _WIDEST) if console.is_terminal else COLUMNS
    return console


def consoles() -> tuple[SafeConsole, SafeConsole]:
    """Where the result goes, and where progress goes: standard output and standard error."""
    return console_for(sys.stdout), console_for(sys.stderr)


def section(title: str, body: RenderableType) -> RenderableType:
    """A body under its title, with an empty line before."""
    return Group(Text(""), Text(title, "bold"), Padding(body, (0, 0, 0, 2)))


def grid(*sides: Side, heads: Sequence[str] = ()) -> Table:
    """A table without lines, one side a column to which it is set, under a row of heads where there are any."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for side in sides:
        table.add_column(justify=side, no_wrap=side == "right")
    if heads:
        table.add_row(*(Text(head, "dim") for head in heads))
    return table


class Printer:
    """Labelled blocks of lines for one stream, wrapped at its width."""

    def __init__(self, stream: TextIO) -> None:
        self._console = console_for(stream)
        self.width = max(40, self._console.width)

    def line(self, *parts: str | tuple[str, str]) -> None:
        """One line of texts, each alone or with a style; never wrapped."""
        pairs = (part if isinstance(part, tuple) else (part, "") for part in parts)
        assembled = Text.assemble(*((self._fit(text), style) for text, style in pairs))
        assembled.rstrip()
        self._console.print(assembled, soft_wrap=True)

    def block(self, label: str, text: str, *, indent: int = 2, style: str = "") -> None:
        """A label and a text beside it, wrapped under itself."""
        hanging = indent + _LABEL
        wrapped = Text(self._fit(text)).wrap(self._console, max(20, self.width - hanging), overflow="fold")
        for number, piece in enumerate(wrapped):
            head = " " * indent + visible(label).ljust(_LABEL) if number == 0 else " " * hanging
            self.line((head, "dim"), (piece.plain.rstrip(), style))

    def rule(self, title: str, style: str = "bold") -> None:
        """A line across the page with a title in it."""
        self.line((f"---- {title} {'-' * max(0, self.width - cell_len(title) - 6)}", style))

    def _fit(self, text: str) -> str:
        """The text as it will be written, so that its width is known when it is wrapped."""
        return encodable(visible(text), self._console.encoding)
