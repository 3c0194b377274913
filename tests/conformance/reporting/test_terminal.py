from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from sendpoll.conformance.reporting.terminal import print_summary
from sendpoll.schemas.contract import JSON
from tests.conformance.reporting.sample import conformant_report, exchange, sample_report, violation


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def written(report: Any, *, encoding: str = "utf-8", terminal: bool = False) -> str:
    raw = io.BytesIO()
    stream = (_Terminal if terminal else io.TextIOWrapper)(raw, encoding=encoding)
    print_summary(report, stream, Path("out"))
    stream.flush()
    return raw.getvalue().decode(encoding)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def _is_command(line: str) -> bool:
    return line.startswith("    ")


def test_nothing_that_a_server_said_can_act() -> None:
    assert all(line.isprintable() for line in written(sample_report()).splitlines())


def test_lines_fit_80_columns_but_for_words_of_a_command() -> None:
    wide = [line for line in written(sample_report()).split("\n") if cell_len(line) > 80]
    assert all(_is_command(line) for line in wide)


def test_no_line_ends_in_blanks() -> None:
    assert not re.search(r"[ ]\n", written(sample_report()))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_every_stream_can_carry_it(encoding: str) -> None:
    assert "MSG-1" in written(sample_report(), encoding=encoding)


def test_colour_is_for_terminals_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[" in written(sample_report(), terminal=True)
    assert "\x1b" not in written(sample_report())
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in written(sample_report(), terminal=True)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in written(sample_report(), terminal=True)


def test_a_failure_has_all_that_a_stranger_needs() -> None:
    text = written(sample_report())
    block = " ".join(text[text.index("FAILED POLL-3") : text.index("FAILED POLL-5")].split())
    assert "MUST" in block
    assert "expected The server must write next_offset as a JSON integer literal" in block
    assert "Dart with package:http: type 'double' is not a subtype of type 'int'" in block
    assert "observed /data/next_offset is written as 3.0, not as an integer literal (41 times)" in block
    assert "GET /api/v1/tasks/t1?from=0" in block
    assert "200 OK, application/json" in block
    assert '"next_offset":3.0' in block
    assert "$SENDPOLL_TOKEN" in block
    assert "seed 20261122" in block


def test_the_last_line_is_the_verdict() -> None:
    assert written(sample_report()).splitlines()[-1] == sample_report()["summary"]
    assert written(conformant_report()).splitlines()[-1] == conformant_report()["summary"]


def test_must_failures_stand_before_should_failures() -> None:
    text = written(sample_report())
    assert text.index("FAILED HTTP-9 MUST") < text.index("FAILED CACHE-1 SHOULD (does not fail this run)")


def test_alike_violations_of_a_row_are_folded_with_their_count() -> None:
    text = " ".join(written(sample_report()).split())
    assert "event 0 is not what it was: from=0 now returns other events (5 times, with other values too)" in text
    assert "event 4 is not what it was" not in text


def test_many_kinds_of_violation_are_left_to_the_report() -> None:
    report = sample_report()
    row = next(row for row in report["requirements"] if row["id"] == "POLL-5")
    row["violations"] = [violation(f"kind {letter}") for letter in "abcdefgh"]
    assert "and 5 other kinds of violation in report.json" in written(report)


def test_both_polls_of_a_contradiction_are_shown() -> None:
    report = sample_report()
    row = next(row for row in report["requirements"] if row["id"] == "POLL-5")
    row["violations"] = [violation("they differ", *(exchange(n, f"/t?from={n}", "{}") for n in (7, 8)))]
    text = written(report)
    assert "#7 " in text
    assert "#8 " in text


def test_rows_that_were_not_exercised_say_what_to_configure() -> None:
    text = written(sample_report())
    assert re.search(r"EVT-5 +no answer had an emoji", text)
    assert "--prompt" in text


def test_rows_with_one_reason_share_its_lines() -> None:
    report = sample_report()
    for row in report["requirements"]:
        row.update(verdict="not_exercised", violations=[], reason="the target cannot be reached")
    assert written(report).count("the target cannot be reached") == 1


def test_known_failures_have_no_block_and_stale_rows_say_so() -> None:
    report = sample_report()
    lists: JSON = {"known": ["MSG-1"], "stale": ["REQ-1"], "expired": ["HTTP-9"], "unlisted": ["POLL-3", "POLL-5"]}
    report["baseline"] = lists | {"reasons": {"MSG-1": "waits for release 3"}}
    text = written(report)
    assert "FAILED MSG-1" not in text
    assert "known: waits for release 3" in text
    assert re.search(r"REQ-1 +stale: ", text)
    assert re.search(r"HTTP-9 +expired: ", text)


def test_a_command_of_megabytes_is_left_to_the_report() -> None:
    report = sample_report()
    row = next(row for row in report["requirements"] if row["id"] == "MSG-1")
    row["violations"][0]["exchanges"][0]["curl"] = "curl " + "x" * 100_000
    text = written(report)
    assert "the curl command has 100005 characters" in text
    assert len(text) < 30_000
