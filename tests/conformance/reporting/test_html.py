from __future__ import annotations

import base64
import hashlib
import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sendpoll.conformance.reporting.html import html_report
from sendpoll.conformance.results import view
from tests.conformance.reporting.sample import conformant_report, sample_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOSTILE_TAGS = {"img", "iframe", "object", "embed", "link", "base", "video", "audio"}


class _Tags(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_nothing_that_a_server_said_becomes_an_element() -> None:
    tags = _Tags(html_report(sample_report())).found
    assert [tag for tag, _ in tags].count("script") == 1
    assert not HOSTILE_TAGS & {tag for tag, _ in tags}
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on")]


def test_the_page_needs_nothing_else() -> None:
    tags = _Tags(html_report(sample_report())).found
    assert not [attributes for _, attributes in tags if "src" in attributes]
    links = [attributes["href"] or "" for _, attributes in tags if "href" in attributes]
    assert links
    assert all(link.startswith("#") for link in links)


def test_the_policy_allows_the_one_script_alone() -> None:
    page = html_report(sample_report())
    script = re.search(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert script
    assert policy
    digests = [
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in (script.group(1), *styles)
    ]
    allowed = f"script-src {digests[0]}; style-src {' '.join(digests[1:])}"
    assert html.unescape(policy.group(1)) == f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def test_control_characters_and_lone_surrogates_are_shown_as_escapes() -> None:
    page = html_report(sample_report())
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", page)
    assert r"\u001b[31mred" in page
    page.encode()


def test_every_row_is_there_with_its_verdict() -> None:
    report = sample_report()
    rows = [
        attributes for tag, attributes in _Tags(html_report(report)).found if tag == "details" and "id" in attributes
    ]
    expected = {row["id"]: row["verdict"] for row in report["requirements"]}
    assert {str(row["id"]): row["data-verdict"] for row in rows} == expected


def test_a_conformant_report_has_no_matrix_of_failures() -> None:
    page = html_report(conformant_report())
    assert "Who breaks" not in page
    assert page.count("nothing found that breaks it") == 5


def test_the_matrix_tells_what_was_tried_with_the_real_clients_from_what_was_not() -> None:
    report = sample_report()
    (untried,) = (row for row in report["requirements"] if row["id"] == "AUTH-3")
    untried["verdict"] = "fail"
    matrix = html_report(report).partition("<h2>Who breaks</h2>")[2].partition("</table>")[0]
    marks = {row.partition("</a>")[0]: re.findall("&#(9679|9675);", row) for row in matrix.split('<a href="#')[1:]}
    assert marks['POLL-3">POLL-3'] == ["9679"] * 5
    assert set(marks['AUTH-3">AUTH-3']) == {"9675"}


def test_a_report_without_its_optional_parts_is_rendered() -> None:
    report = conformant_report() | {"tasks": [], "notes": [], "excluded": [], "target": {"url": "http://x"}}
    assert "No task was recorded" in html_report(report)


def test_a_baseline_is_shown() -> None:
    lists: dict[str, object] = {"known": ["MSG-1"], "stale": ["REQ-1"], "expired": [], "unlisted": []}
    report = sample_report() | {"baseline": lists | {"reasons": {"MSG-1": "waits for release 3"}}}
    page = html_report(report)
    assert "failed (known)" in page
    assert "waits for release 3" in page


# ---- in a browser ----


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    file = tmp_path / "report.html"
    file.write_text(html_report(sample_report()), encoding="utf-8")
    opened = browser.new_page()
    problems: list[str] = []
    opened.on("console", lambda message: problems.append(message.text))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("request", lambda request: problems.append(request.url) if request.url != file.as_uri() else None)
    opened.goto(file.as_uri())
    yield opened
    opened.close()
    assert problems == []


def _shown(page: Page) -> list[str]:
    ids: list[str] = page.eval_on_selector_all(".requirement:not([hidden])", "rows => rows.map(row => row.id)")
    return ids


def test_no_text_of_the_server_runs_in_chromium(page: Page) -> None:
    for row in page.query_selector_all("details"):
        row.evaluate("row => { row.open = true; }")
    assert page.title() == "Sendpoll: nonconformant, http://localhost:8091"


def test_filters_choose_rows_by_level_verdict_client_and_text(page: Page) -> None:
    assert len(_shown(page)) == len(sample_report()["requirements"])
    page.select_option("select[name=verdict]", "fail")
    assert _shown(page) == [row["id"] for row in view.ranked(sample_report()) if row["verdict"] == "fail"]
    page.select_option("select[name=client]", "D")
    assert _shown(page) == ["MSG-1", "POLL-3", "POLL-5"]
    page.fill("input[name=text]", "Integer LITERAL")
    assert _shown(page) == ["POLL-3"]
    page.click("button[type=reset]")
    page.wait_for_selector(".requirement[hidden]", state="detached")
    page.select_option("select[name=level]", "SHOULD")
    assert set(_shown(page)) == {row["id"] for row in sample_report()["requirements"] if row["level"] == "SHOULD"}


def test_a_link_to_a_row_opens_it(page: Page) -> None:
    page.click(".matrix a[href='#POLL-5']")
    page.wait_for_selector("#POLL-5[open]")


@pytest.mark.parametrize("width", [400, 1280])
def test_the_page_is_never_wider_than_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for row in page.query_selector_all("details"):
        row.evaluate("row => { row.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
