from __future__ import annotations

import re

from markdown_it import MarkdownIt

from sendpoll.conformance.reporting.markdown import markdown_summary
from tests.conformance.reporting.sample import conformant_report, sample_report

_PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")


def rendered(text: str) -> str:
    return str(_PARSER.render(text))


def test_nothing_that_a_server_said_means_anything() -> None:
    page = rendered(markdown_summary(sample_report()))
    elements = set(re.findall(r"<(\w+)", page))
    assert elements <= {"h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "br"}
    assert set(re.findall(r"<strong>(.*?)</strong>", page)) <= {row["id"] for row in sample_report()["requirements"]}


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    widths: dict[int, set[int]] = {}
    for number, block in enumerate(markdown_summary(sample_report()).split("\n\n")):
        for line in block.splitlines():
            if line.startswith("|"):
                widths.setdefault(number, set()).add(line.count("|"))
    assert len(widths) == 6
    assert all(len(found) == 1 for found in widths.values())


def test_the_summary_has_verdict_counts_and_what_to_do() -> None:
    text = markdown_summary(sample_report())
    assert text.startswith("## Sendpoll: nonconformant\n\nNot conformant: 4 of 90 MUST requirements failed.\n")
    assert "| failed | 4 | 1 |" in text
    assert "| **POLL-3** | MUST |" in text
    assert "(41 times)" in text
    assert "--prompt unicode=TEXT" in text


def test_a_conformant_run_has_no_failed_table() -> None:
    assert "### Failed" not in markdown_summary(conformant_report())


def test_the_baseline_is_told() -> None:
    lists = {"known": ["MSG-1"], "stale": ["REQ-1"], "expired": [], "unlisted": []}
    text = markdown_summary(sample_report() | {"baseline": lists})
    assert "- stale, take the row out: REQ-1" in text
    assert "**MSG-1** (known)" in text
