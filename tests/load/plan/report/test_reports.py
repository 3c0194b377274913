from __future__ import annotations

import io
import json
import re
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from sendpoll.conformance.client.running.chromium import executable
from sendpoll.core.reports.console import console_for
from sendpoll.load.plan.polling import PollCost
from sendpoll.load.plan.report.files import write_plan_reports
from sendpoll.load.plan.report.html import plan_html
from sendpoll.load.plan.report.junit import plan_junit
from sendpoll.load.plan.report.markdown import plan_markdown
from sendpoll.load.plan.report.terminal import print_plan
from sendpoll.load.plan.steps import UNSETTLED
from tests.load.plan.made_up import made_up_result

COST = PollCost(0.25, 50.0, 200, 16.0, 0.8, 90.0, 0.95, 0.92, 0.97, 1.0, 6.5, 51.0, 47.0, None)


@pytest.fixture(scope="module", name="result")
def _result() -> Any:
    return made_up_result(polls=(COST,), required=30.0)[0]


def data_of(page: str) -> Any:
    found: dict[str, Any] = json.loads(page.split('id="data">')[1].split("</script>", maxsplit=1)[0])
    return found


def test_the_page_says_the_answer_first_and_loads_nothing(result: Any) -> None:
    page = plan_html(result)
    assert "The server holds" in page
    assert "default-src" in page
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=", page)
    assert "http://127.0.0.1:8091" in page


def test_every_plot_has_a_column_for_each_series(result: Any) -> None:
    plots = data_of(plan_html(result))["plots"]
    assert [plot["title"].split(":")[0] for plot in plots] == [
        "Capacity",
        "Throughput and models",
        "Latency",
        "The search over time, with recoveries",
    ]
    for plot in plots:
        assert len(plot["columns"]) == len(plot["series"]) + 1
        assert {len(column) for column in plot["columns"]} == {len(plot["columns"][0])}
        assert plot["columns"][0] == sorted(plot["columns"][0])


def test_each_step_is_drawn_in_the_colour_of_its_verdict(result: Any) -> None:
    plot = data_of(plan_html(result))["plots"][0]
    drawn = {
        series["label"]: sum(value is not None for value in column)
        for series, column in zip(plot["series"], plot["columns"][1:], strict=True)
        if series.get("points")
    }
    levels = [step for step in result["steps"] if step["purpose"] not in UNSETTLED]
    for verdict in {step["verdict"] for step in levels}:
        assert drawn[verdict] == sum(step["verdict"] == verdict for step in levels)


@pytest.mark.parametrize(
    ("change", "outcome"), [({}, None), ({"verdict": "fail"}, "failure"), ({"verdict": "inconclusive"}, "error")]
)
def test_junit_has_a_case_for_what_was_required(result: Any, change: Any, outcome: str | None) -> None:
    cases = ET.fromstring(plan_junit(result | change)).iter("testcase")
    case = next(one for one in cases if one.get("name") == "holds 30 users")
    assert [child.tag for child in case] == ([outcome] if outcome else [])


def test_markdown_has_every_step_and_the_sizing(result: Any) -> None:
    text = plan_markdown(result)
    assert text.count("| ladder |") == sum(step["purpose"] == "ladder" for step in result["steps"])
    assert "| 100,000 |" in text
    assert "| 250 ms |" in text


def test_the_terminal_shows_the_sentence_and_the_tables(result: Any) -> None:
    out = io.StringIO()
    print_plan(result, console_for(out))
    assert "The server holds" in out.getvalue()
    assert "100,000" in out.getvalue()


def test_every_report_is_written(result: Any, tmp_path: Path) -> None:
    write_plan_reports(result, [], tmp_path, {})
    assert {path.name for path in tmp_path.iterdir()} == {
        "plan.json",
        "plan.html",
        "junit.xml",
        "summary.md",
        "tasks.jsonl",
    }
    assert json.loads((tmp_path / "plan.json").read_text())["kind"] == "sendpoll plan"


@pytest.mark.skipif(executable() is None, reason="no Chromium on this machine")
def test_a_browser_draws_every_plot(result: Any, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    page.write_text(plan_html(result), encoding="utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}/profile", "--dump-dom"]
    flags += ["--virtual-time-budget=3000", "--enable-logging=stderr"]
    done = subprocess.run(
        [executable() or "", *flags, page.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.count('class="uplot') == 4
    assert "Content Security Policy" not in done.stderr
    assert "Uncaught" not in done.stderr
