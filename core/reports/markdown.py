"""Markdown for the summary page of a CI job: blocks with blank lines between, and tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

_RULES: Final = {"left": "---", "right": "--:"}


def document(blocks: Iterable[str]) -> str:
    """The whole text, of the blocks that are not empty."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def bullets(items: Iterable[str]) -> str:
    """A list; empty where there is nothing in it."""
    return "\n".join(f"- {item}" for item in items)


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table. A head that begins with `>` stands over numbers: its column is set to the right.

    Cells go in as they are: a stranger's text must have been through `markdown` or `markdown_code`.
    """
    sides = ["right" if head.startswith(">") else "left" for head in heads]
    lines = [_row([head.removeprefix(">") for head in heads]), f"|{'|'.join(_RULES[side] for side in sides)}|"]
    return "\n".join([*lines, *map(_row, rows)])


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
