"""The files of a report: `report.json`, and what is made of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sendpoll.conformance.reporting.badge import badge
from sendpoll.conformance.reporting.html import html_report
from sendpoll.conformance.reporting.junit import junit_report
from sendpoll.conformance.reporting.markdown import markdown_summary
from sendpoll.conformance.results.report_json import Report
from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_json
from sendpoll.core.reports.files import write_report

REPORT_NAME: Final = "report.json"
_RENDERINGS: Mapping[str, Callable[[Report], str]] = MappingProxyType(
    {
        "report.html": html_report,
        "junit.xml": junit_report,
        "summary.md": markdown_summary,
        "badge.json": badge,
    }
)


class ReportError(Exception):
    """A file is no report, or cannot be read; the message names it and the mend."""


def write_reports(report: Report, folder: Path) -> tuple[Path, ...]:
    """Write report.json and every rendering of it into the folder; the paths written.

    Raises UnwrittenError, and InvalidFileError where the report breaks its schema, which is a fault of the suite.
    """
    renderings = {name: functools.partial(render, report) for name, render in _RENDERINGS.items()}
    return write_report(folder, REPORT_NAME, REPORT_NAME, report, renderings)


def read_report(path: Path) -> Report:
    """A report.json that was written before. Raises ReportError."""
    if path.is_dir():
        path = path / REPORT_NAME
    try:
        report: Report = load_json(path, f"files/{REPORT_NAME}")
    except FileError as error:
        raise ReportError(f"{error}; give the report.json that this version of sendpoll check wrote") from error
    return report
