"""Many reports as one page to publish, a table for a CI job, and a badge each."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sendpoll.conformance.reporting.badge import badge, badge_message
from sendpoll.conformance.results import view
from sendpoll.conformance.results.comparison import MARKS, NOT_JUDGED, Comparison, Entry
from sendpoll.core.reports.files import make_folder, write_files
from sendpoll.core.reports.markdown import bullets, document, table
from sendpoll.core.reports.page import Page
from sendpoll.core.text.safe import markdown
from sendpoll.schemas.catalogue import CLIENTS

PAGE_NAME: Final = "index.html"
_PAGE: Final = Page("sendpoll.conformance.reporting", "comparison.html.j2", styles=("report.css", "comparison.css"))
_LABELS: Final = {**view.LABELS, NOT_JUDGED: "not judged"}


def write_comparison(comparison: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write the page, its summary, and `NAME.badge.json` each; the paths written. Raises UnwrittenError and OSError."""
    make_folder(folder)
    badges = [(f"{one.name}.badge.json", functools.partial(badge, one.report)) for one in comparison.entries]
    return write_files(
        folder,
        [
            (PAGE_NAME, functools.partial(comparison_html, comparison)),
            ("summary.md", functools.partial(comparison_markdown, comparison)),
            *badges,
        ],
    )


def comparison_html(comparison: Comparison) -> str:
    """The whole page."""
    return _PAGE.render(
        {
            "comparison": comparison,
            "open_lines": [line for line in comparison.lines if not line.is_green],
            "green_lines": [line for line in comparison.lines if line.is_green],
            "badge": badge_message,
            "target": view.target,
            "broken": _broken,
            "clients": CLIENTS,
            "labels": _LABELS,
            "marks": MARKS,
        }
    )


def _broken(entry: Entry) -> str:
    """The letters of the clients that break."""
    return "".join(letter for letter, rows in view.broken_clients(entry.report).items() if rows)


def comparison_markdown(comparison: Comparison) -> str:
    """The overview, and the rows that did not pass everywhere. Nothing that a report says is markup in it."""
    return document(_blocks(comparison))


def _blocks(comparison: Comparison) -> Iterator[str]:
    yield f"## Sendpoll: {_title(comparison)}"
    yield bullets(markdown(note) for note in comparison.notes)
    yield table(("", "verdict", ">MUST", ">SHOULD"), map(_overview, comparison.entries))
    lines = [line for line in comparison.lines if not line.is_green]
    if lines:
        heads = ("id", "level", *(markdown(entry.name, 60) for entry in comparison.entries))
        yield table(heads, [(line.id, line.level, *(cell.mark for cell in line.cells)) for line in lines])
        yield ", ".join(f"{mark} {_LABELS[verdict]}" for verdict, mark in MARKS.items() if mark)


def _title(comparison: Comparison) -> str:
    count = len(comparison.entries)
    return f"{count} {comparison.subject}{'' if count == 1 else 's'}"


def _overview(entry: Entry) -> tuple[str, ...]:
    levels = ("{} of {}".format(*entry.passed(level)) for level in ("MUST", "SHOULD"))
    return markdown(entry.name, 60), badge_message(entry.report), *levels
