from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sendpoll.conformance.client.running.chromium import executable
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.report.result_html import html_report
from sendpoll.load.results.compare import compare
from tests.load.made_up import Run, broken_offset, metrics_of, result_of

HOSTILE = (
    """</script><script>document.title='owned'</script><img src=x onerror="document.title='owned'"> ' " {{ 7*7 }}"""
)


class Elements(HTMLParser):
    """The elements of a page, and the text of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: dict[str, list[str]] = {"script": [], "style": []}
        self._within = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._within = tag if tag in self.inline else ""
        if self._within:
            self.inline[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = "" if tag == self._within else self._within

    def handle_data(self, data: str) -> None:
        if self._within:
            self.inline[self._within][-1] += data


def hostile_result() -> Any:
    metrics = metrics_of(Run(failing=0.05))
    metrics.violation(broken_offset(HOSTILE))
    metrics.error(HOSTILE)
    metrics.tick(61, 1)
    samples = [{"body": HOSTILE}]
    return result_of(metrics, samples=samples, problems=[HOSTILE], generator={"host": HOSTILE, "cpu": [0.5, 0.25]})


def test_hostile_text_becomes_no_element() -> None:
    page = html_report(hostile_result())
    elements = Elements(page)
    assert "img" not in {tag for tag, _ in elements.tags}
    assert len(elements.inline["script"]) == 3
    assert not any(name.startswith("on") for _, attributes in elements.tags for name in attributes)
    assert "{{ 7*7 }}" in page


def test_nothing_is_fetched() -> None:
    elements = Elements(html_report(hostile_result()))
    assert not [attributes for _, attributes in elements.tags if {"src", "href", "action"} & set(attributes)]
    assert not any("url(" in style or "@import" in style for style in elements.inline["style"])


def test_the_policy_lets_only_these_scripts_and_styles_run() -> None:
    elements = Elements(html_report(hostile_result()))
    policy = next(attributes["content"] for _, attributes in elements.tags if "http-equiv" in attributes)
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    allowed = set(re.findall(r"'sha256-([^']+)'", policy))
    data, *scripts = elements.inline["script"]
    digests = {
        base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        for content in (*scripts, *elements.inline["style"])
    }
    assert digests == allowed
    assert json.loads(data)["columns"]["t"]


def test_no_secret_is_in_it() -> None:
    assert "very-secret-token" not in html_report(result_of(metrics_of(Run()), problems=["very-secret-token"]))


@pytest.mark.parametrize("word", ["pass", "fail", "inconclusive", "invalid", "unreachable"])
def test_every_verdict_has_a_page(word: str) -> None:
    result = result_of(Metrics()) | {"verdict": word}
    assert f'<p class="word">{word}</p>' in html_report(result)


def test_every_column_that_is_plotted_is_measured() -> None:
    result = result_of(metrics_of(Run(seconds=10)))
    data = json.loads(Elements(html_report(result)).inline["script"][0])
    plotted = {column for plot in data["plots"] for column in plot["columns"]}
    assert plotted <= set(result["series"]["columns"])


@pytest.mark.skipif(executable() is None, reason="no Chromium on this machine")
@pytest.mark.parametrize("width", [1280, 400])
def test_a_browser_draws_every_plot_and_obeys_nothing_foreign(tmp_path: Path, width: int) -> None:
    result = hostile_result()
    old, new = result_of(metrics_of(Run(seed=1))), result_of(metrics_of(Run(seed=2)))
    result["comparison"] = compare(old, new).as_json()
    page = tmp_path / "report.html"
    page.write_text(html_report(result), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--dump-dom"]
    flags += [f"--window-size={width},2000", "--virtual-time-budget=3000", "--enable-logging=stderr"]
    done = subprocess.run(
        [executable() or "", *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.count('class="uplot') == 7
    assert "<title>owned" not in done.stdout
    assert "Content Security Policy" not in done.stderr
    assert "Uncaught" not in done.stderr
