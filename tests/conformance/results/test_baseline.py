from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sendpoll.conformance.results.baseline import (
    Baseline,
    BaselineError,
    KnownFailure,
    apply_baseline,
    compare,
    load_baseline,
    parse_baseline,
    write_baseline,
)
from tests.conformance.reporting.sample import HOSTILE, assert_valid, conformant_report, sample_report

TODAY = date(2026, 11, 22)
_FAILING = ("MSG-1", "POLL-3", "POLL-5", "HTTP-9")
_SHOULD = "CACHE-1"


def listing(*identifiers: str, expires: date | None = None) -> Baseline:
    return Baseline(tuple(KnownFailure(identifier, "known since spring", expires) for identifier in identifiers))


def test_every_failure_listed_lets_the_run_pass() -> None:
    result = compare(sample_report(), listing(*_FAILING), TODAY)
    assert set(result.known) == set(_FAILING)
    assert (result.stale, result.expired, result.unlisted) == ((), (), ())
    assert not result.fails_run


def test_a_failure_that_is_not_listed_fails_the_run() -> None:
    result = compare(sample_report(), listing("MSG-1"), TODAY)
    assert result.unlisted == ("POLL-3", "POLL-5", "HTTP-9")
    assert result.fails_run


def test_a_listed_row_that_passes_is_stale_and_fails_the_run() -> None:
    result = compare(sample_report(), listing(*_FAILING, "REQ-1"), TODAY)
    assert result.stale == ("REQ-1",)
    assert result.fails_run


@pytest.mark.parametrize(("expires", "excused"), [(TODAY, True), (date(2026, 11, 21), False)])
def test_a_row_is_excused_until_the_end_of_its_last_day(expires: date, excused: bool) -> None:
    result = compare(sample_report(), listing(*_FAILING, expires=expires), TODAY)
    assert result.fails_run is not excused
    assert bool(result.expired) is not excused


def test_a_passing_row_that_has_expired_is_stale_alone() -> None:
    result = compare(sample_report(), listing(*_FAILING, "REQ-1", expires=date(2020, 1, 1)), TODAY)
    assert result.stale == ("REQ-1",)
    assert "REQ-1" not in result.expired


@pytest.mark.parametrize("identifier", ["POLL-8", "REQ-10", "CORS-1"])
def test_a_listed_row_of_which_the_run_says_nothing_is_let_be(identifier: str) -> None:
    result = compare(sample_report(), listing(*_FAILING, identifier), TODAY)
    assert not result.fails_run
    assert identifier not in result.known


@pytest.mark.parametrize(
    ("level", "strict", "counts"), [("should", True, True), ("should", False, False), ("must", True, False)]
)
def test_a_failed_should_row_is_unlisted_only_where_it_fails_the_run(level: str, strict: bool, counts: bool) -> None:
    report = sample_report() | {"level": level, "strict": strict}
    assert (_SHOULD in compare(report, listing(*_FAILING), TODAY).unlisted) is counts


def test_the_result_fits_the_report() -> None:
    report: Any = sample_report()
    report["baseline"] = compare(report, listing(*_FAILING, expires=TODAY), TODAY).as_json()
    assert_valid(report)
    assert report["baseline"]["reasons"]["MSG-1"] == "known since spring, until 2026-11-22"


def without_open_rows() -> Any:
    report = sample_report()
    for row in report["requirements"]:
        if row["verdict"] in {"not_exercised", "inconclusive"}:
            row["verdict"] = "pass"
    return report


def test_known_failures_do_not_fail_the_run_and_do_not_make_the_server_conformant() -> None:
    applied = apply_baseline(without_open_rows(), listing(*_FAILING), TODAY)
    assert_valid(applied)
    assert (applied["verdict"], applied["exit_code"]) == ("nonconformant", 0)
    assert "Every failure is a known one" in applied["summary"]


def test_rows_that_were_not_exercised_still_leave_the_run_undetermined() -> None:
    assert apply_baseline(sample_report(), listing(*_FAILING), TODAY)["exit_code"] == 3


def test_a_stale_row_fails_the_run_on_a_conformant_server() -> None:
    applied = apply_baseline(conformant_report(), listing("MSG-1"), TODAY)
    assert (applied["verdict"], applied["exit_code"]) == ("conformant", 1)
    assert "stale: MSG-1" in applied["summary"]


def test_a_conformant_server_passes_with_an_empty_baseline() -> None:
    assert apply_baseline(conformant_report(), Baseline(), TODAY)["exit_code"] == 0


def test_no_baseline_mends_a_broken_suite() -> None:
    report = sample_report() | {"exit_code": 4, "verdict": "undetermined"}
    assert apply_baseline(report, listing(*_FAILING), TODAY)["exit_code"] == 4


def test_a_run_of_nothing_but_known_failures_passes() -> None:
    report = sample_report()
    report["requirements"] = [row for row in report["requirements"] if row["id"] in _FAILING]
    assert apply_baseline(report, listing(*_FAILING), TODAY)["exit_code"] == 0


def test_a_written_baseline_excuses_exactly_what_failed() -> None:
    report = sample_report()
    baseline = parse_baseline(write_baseline(report), "b.yaml")
    result = compare(report | {"strict": True}, baseline, TODAY)
    assert set(result.known) == {*_FAILING, _SHOULD}
    assert not result.fails_run


def test_hostile_text_stays_a_text_in_the_written_baseline() -> None:
    report = sample_report()
    report["requirements"][0].update(verdict="fail", violations=[{"sentence": f"\n- id: X\n{HOSTILE}"}])
    text = write_baseline(report)
    assert text.isascii()
    assert len(parse_baseline(text, "b.yaml").rows) == len(_FAILING) + 2


def test_rewriting_keeps_what_was_written_by_hand() -> None:
    before = Baseline(
        (
            KnownFailure("POLL-5", "waits for the new log", date(2027, 1, 31), "https://example.org/1"),
            KnownFailure("REQ-1", "mended by now"),
        )
    )
    after = parse_baseline(write_baseline(sample_report(), before), "b.yaml").by_id
    assert after["POLL-5"] == before.rows[0]
    assert "REQ-1" not in after


def test_an_unquoted_date_is_read() -> None:
    row = "{id: POLL-5, reason: r, expires: 2027-01-31, issue: 'https://example.org/1'}"
    assert parse_baseline(f"known_failures: [{row}]", "b.yaml").rows[0].expires == date(2027, 1, 31)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("known_failures: [", "b.yaml is no YAML"),
        ("[]", "the file (line 1): is a list; expected a mapping"),
        ("", "the file: is empty; expected a mapping"),
        ("known_failures: [POLL-5]", "known_failures/0 (line 1): is a text; expected a mapping"),
        ("known_failures: [{id: POLL-5}]", "known_failures/0 (line 1): 'reason' is missing; add it"),
        (
            "known_failures: [{id: POLL-5, reason: ' '}]",
            'known_failures/0/reason (line 1): " " does not fit; expected why',
        ),
        (
            "known_failures: [{id: POLL-5, reason: r, until: x}]",
            "known_failures/0 (line 1): 'until' is not known here; known are id, reason",
        ),
        ("known_failures: [{id: POLL-99, reason: r}]", "no requirement POLL-99; did you mean"),
        (
            "known_failures: [{id: poll-5, reason: r}]",
            'known_failures/0/id (line 1): "poll-5" does not fit; expected the id of a requirement',
        ),
        ("known_failures: [{id: POLL-5, reason: r, expires: 2027-13-01}]", "2027-13-01"),
        ("known_failures: [{id: POLL-5, reason: r, expires: '2027-02-30'}]", "expires: 2027-02-30 is no day"),
        (
            "known_failures: [{id: POLL-5, reason: r, expires: soon}]",
            'known_failures/0/expires (line 1): "soon" does not fit; expected the last day',
        ),
        (
            "known_failures: [{id: POLL-5, reason: r, issue: JIRA-1}]",
            'known_failures/0/issue (line 1): "JIRA-1" does not fit; expected the URL',
        ),
        ("known_failures: [{id: POLL-5, reason: r}, {id: POLL-5, reason: s}]", "rows 1 and 2 are both for POLL-5"),
    ],
)
def test_a_wrong_baseline_is_told_with_file_row_and_mend(text: str, told: str) -> None:
    with pytest.raises(BaselineError) as caught:
        parse_baseline(text, "b.yaml")
    assert "b.yaml" in str(caught.value)
    assert told in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="--write-baseline makes one"):
        load_baseline(tmp_path / "none.yaml")


def test_a_baseline_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(write_baseline(sample_report()), encoding="utf-8")
    assert len(load_baseline(file).rows) == len(_FAILING) + 1
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(BaselineError, match="UTF-8"):
        load_baseline(file)
