from __future__ import annotations

from sendpoll.load.report.markdown import markdown_summary
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
