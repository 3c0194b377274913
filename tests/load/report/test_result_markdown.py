from __future__ import annotations

import html

from sendpoll.load.report.result_markdown import markdown_summary
from sendpoll.load.results.compare import compare
from tests.load.made_up import Run, broken_offset, metrics_of, result_of


def test_it_says_the_verdict_the_gates_and_the_numbers() -> None:
    text = markdown_summary(result_of(metrics_of(Run())))
    assert text.startswith("## Sendpoll load: INCONCLUSIVE\n")
    assert "| ttfe p95 &#60;= 2s | pass |" in text
    assert "| time to first event | 222 |" in text
    assert "222 tasks started" in text


def test_hostile_text_makes_no_cell_link_mention_or_tag() -> None:
    metrics = metrics_of(Run(seconds=10))
    metrics.violation(broken_offset("a | b\n# c <script> @all https://evil.example [x](y)"))
    metrics.tick(11, 1)
    row = next(line for line in markdown_summary(result_of(metrics)).splitlines() if line.startswith("| POLL"))
    assert row.count("|") == 4
    assert not any(told in row for told in ("<script>", "@all", "https://", "](y)"))


def test_a_comparison_is_a_table() -> None:
    old, new = result_of(metrics_of(Run(seed=1))), result_of(metrics_of(Run(seed=2, slower=1.6)))
    new["comparison"] = compare(old, new).as_json()
    assert "| worse |" in markdown_summary(new)


def test_a_name_with_several_addresses_is_told_with_the_connections_to_each() -> None:
    result = result_of(metrics_of(Run()))
    assert "connections were spread" not in markdown_summary(result)
    result["target"]["connections"] = {"127.0.0.2:8091": 20, "127.0.0.3:8091": 21}
    told = html.unescape(markdown_summary(result))
    assert "connections were spread over the 2 addresses of the name: 127.0.0.2:8091 20, 127.0.0.3:8091 21" in told
