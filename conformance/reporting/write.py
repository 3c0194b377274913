"""The report's files: each whole or not there."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from sendpoll.conformance.reporting.badge import badge
from sendpoll.conformance.reporting.html import html_report
from sendpoll.conformance.reporting.junit import junit_report
from sendpoll.conformance.reporting.markdown import markdown_summary
from sendpoll.schemas.contract import JSON, validator


class ReportError(Exception):
    """A file is no report, or cannot be read; the message names it and the mend."""


def _json_text(report: JSON) -> str:
    return json.dumps(report, indent=1) + "\n"


_RENDERINGS: Mapping[str, Callable[[JSON], str]] = MappingProxyType(
    {
        "report.html": html_report,
        "junit.xml": junit_report,
        "summary.md": markdown_summary,
        "badge.json": badge,
    }
)


def write_reports(report: JSON, folder: Path) -> tuple[Path, ...]:
    """Write report.json and every rendering of it into the folder, which is made if need be; the paths written.

    A report that breaks its schema is a fault of the suite: report.json is written all the same, so that the evidence
    is not lost, and nothing is made of it. Raises ReportError then, and OSError where the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = [_replace(folder / "report.json", _json_text(report))]
    check_report(report, str(written[0]))
    written.extend(_replace(folder / name, render(report)) for name, render in _RENDERINGS.items())
    return tuple(written)


def check_report(report: object, source: str) -> None:
    """Raise ReportError where a value is no report of this version; `source` is the file that the message names."""
    for broken in validator("files/report.json").iter_errors(report):
        where = "/".join(str(part) for part in broken.absolute_path) or "the file"
        raise ReportError(f"{source}: {where} is not as a report of this version has it: {broken.message[:200]}")


def read_report(path: Path) -> JSON:
    """A report.json that was written before. Raises ReportError."""
    if path.is_dir():
        path = path / "report.json"
    try:
        report: JSON = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror or error}") from error
    except ValueError as error:
        raise ReportError(f"{path} is no JSON ({error}); give the report.json that sendpoll check wrote") from error
    check_report(report, str(path))
    return report


def _replace(path: Path, text: str) -> Path:
    """Write a file under another name beside it and move it over: a reader finds the old one or the new one."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path
