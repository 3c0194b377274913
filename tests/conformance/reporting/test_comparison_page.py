"""The page of many reports: safe with whatever servers said, and fit for a telephone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from sendpoll.cli.main import cli
from sendpoll.conformance.reporting.comparison_page import comparison_html, comparison_markdown
from sendpoll.conformance.results.comparison import Entry, compare
from tests.conformance.reporting.sample import SCRIPT, conformant_report, sample_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("right", "broken", "another one")


@pytest.fixture(name="reports")
def _reports(tmp_path: Path) -> Path:
    for name, report in zip(NAMES, (conformant_report(), sample_report(), sample_report()), strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.json").write_text(json.dumps(report))
    return tmp_path


def merged(*arguments: object) -> Any:
    return CliRunner().invoke(cli, ["report", "merge", *map(str, arguments)])


def test_folders_become_a_page_and_badges(reports: Path) -> None:
    result = merged(*(reports / name for name in NAMES), "--report-dir", reports / "site")
    assert result.exit_code == 0, result.output
    assert {path.name for path in (reports / "site").iterdir()} == {
        "index.html",
        "summary.md",
        *(f"{name}.badge.json" for name in NAMES),
    }
    assert json.loads((reports / "site" / "right.badge.json").read_text())["message"] == "conformant"
    page = (reports / "site" / "index.html").read_text()
    assert SCRIPT not in page
    assert page.count("<script") == 0
    assert 'href="#another%20one"' in page
    assert 'id="another%20one"' in page


def test_names_are_those_that_are_given(reports: Path) -> None:
    result = merged(f"ours={reports / 'right'}", reports / "broken" / "report.json", "--report-dir", reports / "site")
    assert result.exit_code == 0
    summary = (reports / "site" / "summary.md").read_text()
    assert "| ours | conformant |" in summary
    assert "| broken | 4 MUST and 1 SHOULD failed |" in summary
    assert "| POLL-3 | MUST | ✓ | ✗ |" in summary


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["{0}/right", "{0}/right/report.json"], "two reports are called right"),
        (["{0}/nowhere"], "nowhere"),
        (["../up=broken"], "cannot name a badge's file"),
        (["{0}/right", "{0}/no.json"], "no.json"),
    ],
)
def test_what_is_no_report_is_named_and_nothing_is_written(reports: Path, arguments: list[str], told: str) -> None:
    (reports / "no.json").write_text("{}")
    result = merged(*(text.format(reports) for text in arguments), "--report-dir", reports / "site")
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (reports / "site").exists()


def test_a_text_of_a_server_is_no_markup_in_the_summary() -> None:
    hostile = compare([Entry("<b>|x", sample_report())])
    assert "<b>" not in comparison_markdown(hostile)
    assert "<b>|x" not in comparison_html(hostile)


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_is_no_wider_than_the_screen(browser: Browser, width: int, tmp_path: Path) -> None:
    """Its tables scroll by themselves, and a verdict has a colour beside its sign."""
    entries = [Entry(f"server number {number}", sample_report()) for number in range(24)]
    (tmp_path / "index.html").write_text(comparison_html(compare(entries)), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto((tmp_path / "index.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    colours = {
        page.locator(f"td.mark.{verdict}").first.evaluate("cell => getComputedStyle(cell).color")
        for verdict in ("pass", "fail", "not_exercised", "inconclusive")
    }
    assert len(colours) == 4
    page.close()
