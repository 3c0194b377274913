"""The files of a report: `report.json`, and what is made of it."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from sendpoll.conformance.reporting.badge import badge
from sendpoll.conformance.reporting.html import html_report
from sendpoll.conformance.reporting.junit import junit_report
from sendpoll.conformance.reporting.markdown import markdown_summary
from sendpoll.core.reports.files import InvalidFileError, require_schema, write_report
from sendpoll.schemas.contract import JSON

_NAME = "report.json"
_RENDERINGS: Mapping[str, Callable[[JSON], str]] = MappingProxyType(
    {
        "report.html": html_report,
        "junit.xml": junit_report,
        "summary.md": markdown_summary,
        "badge.json": badge,
    }
)


class ReportError(Exception):
    """A file is no report, or cannot be read; the message names it and the mend."""


def write_reports(report: JSON, folder: Path) -> tuple[Path, ...]:
    """Write report.json and every rendering of it into the folder; the paths written.

    Raises UnwrittenError, and InvalidFileError where the report breaks its schema, which is a fault of the suite.
    """
    renderings = {name: functools.partial(render, report) for name, render in _RENDERINGS.items()}
    return write_report(folder, _NAME, _NAME, report, renderings)


def read_report(path: Path) -> JSON:
    """A report.json that was written before. Raises ReportError."""
    if path.is_dir():
        path = path / _NAME
    try:
        report: JSON = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ReportError(f"{path} is no JSON ({error}); give the report.json that sendpoll check wrote") from error
    try:
        require_schema(report, _NAME, str(path))
    except InvalidFileError as error:
        raise ReportError(str(error)) from error
    return report
