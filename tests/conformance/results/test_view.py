from __future__ import annotations

import pytest

from sendpoll.conformance.results import view
from tests.conformance.reporting.sample import sample_report


def test_rows_to_act_on_come_first_and_must_before_should() -> None:
    ranked = [(row["verdict"], row["level"]) for row in view.ranked(sample_report())]
    assert ranked[:5] == [("fail", "MUST")] * 4 + [("fail", "SHOULD")]
    assert ranked[5][0] == "inconclusive"
    assert ranked[-1][0] == "not_applicable"


def test_every_row_is_counted_once() -> None:
    report = sample_report()
    counted = view.counts(report)
    assert sum(sum(levels.values()) for levels in counted.values()) == len(report["requirements"])
    assert counted["fail"] == {"MUST": 4, "SHOULD": 1}


def test_a_client_breaks_on_the_failed_rows_that_name_it() -> None:
    broken = view.broken_clients(sample_report())
    assert broken["D"] == ["MSG-1", "POLL-3", "POLL-5"]
    assert "HTTP-9" in broken["P"]
    assert "HTTP-9" not in broken["C"]


@pytest.mark.parametrize(
    ("requirement", "changes", "fails"),
    [
        ("MSG-1", {}, True),
        ("CACHE-1", {}, False),
        ("CACHE-1", {"strict": True}, True),
        ("CACHE-1", {"strict": True, "level": "must"}, False),
        ("MSG-1", {"baseline": {"known": ["MSG-1"]}}, False),
        ("REQ-1", {}, False),
    ],
)
def test_what_turns_a_run_red(requirement: str, changes: dict[str, object], fails: bool) -> None:
    report = sample_report() | changes
    row = next(row for row in report["requirements"] if row["id"] == requirement)
    assert view.fails_run(report, row) is fails


def test_violations_are_of_one_kind_if_they_differ_in_numbers_and_quotes_alone() -> None:
    sentences = ["task 'a': event 1 lost", "task 'b': event 22 lost", "task 'a': event 1 again", "at /x/3 lost"]
    kinds = view.kinds({"sentence": sentence, "count": 2, "exchanges": []} for sentence in sentences)
    assert [(kind.first["sentence"], len(kind.others), kind.count) for kind in kinds] == [
        ("task 'a': event 1 lost", 1, 4),
        ("task 'a': event 1 again", 0, 2),
        ("at /x/3 lost", 0, 2),
    ]
