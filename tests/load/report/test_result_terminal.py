from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import Any

import pytest

from sendpoll.core.reports.console import SafeConsole
from sendpoll.load.measure.metrics import Metrics
from sendpoll.load.report.result_terminal import Snapshot, print_summary, progress_line
from sendpoll.load.results.compare import compare
from tests.load.made_up import Run, broken_offset, metrics_of, result_of

HOSTILE = "[bold red]x[/] \x1b[2J\x1b]0;owned\x07 https://evil.example"


def printed(result: Any, **options: Any) -> str:
    out = io.StringIO()
    print_summary(result, SafeConsole(file=out, width=80, **options))
    return out.getvalue()


def broken() -> Any:
    metrics = metrics_of(Run(failing=0.1))
    metrics.violation(broken_offset(HOSTILE))
    metrics.error(HOSTILE)
    metrics.tick(61, 1)
    return result_of(metrics)


def test_what_was_merely_missed_stands_apart() -> None:
    metrics = metrics_of(Run())
    metrics.violation(replace(broken_offset(), requirement="POLL-13"))
    metrics.tick(61, 1)
    text = printed(result_of(metrics))
    assert "Broken requirements" not in text
    assert re.search(r"Missed, and no published client breaks by it\n.*POLL-13  1x", text)


def test_piped_it_is_plain_text_of_80_columns() -> None:
    text = printed(broken())
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith("FAIL  5 of 6 objectives failed")
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_everything_is_told() -> None:
    text = " ".join(printed(broken()).split())
    for told in (
        "ttfe p95 <= 2s",
        "first event",
        "started = ",
        "goodput",
        "POLL-5",
        "GET /api/v1/tasks/t1?from=0",
        "503",
    ):
        assert told in text


def test_what_a_server_says_is_shown_and_not_obeyed() -> None:
    text = printed(broken(), force_terminal=True, color_system="truecolor")
    assert "[bold red]x[/]" in text
    assert "\\u001b[2J" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text


def test_a_terminal_gets_colours_unless_they_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "\x1b[1;31m" in printed(broken(), force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", printed(broken(), force_terminal=True))


def test_an_unreachable_target_is_told_in_few_lines() -> None:
    text = printed(result_of(Metrics(), unreachable="connection refused"))
    assert text.startswith("UNREACHABLE  the target cannot be reached: connection refused")
    assert "Latency" not in text


def test_why_a_run_is_invalid_is_told() -> None:
    text = printed(result_of(metrics_of(Run()), problems=["the event loop was 80 ms late"]))
    assert text.startswith("INVALID")
    assert "the event loop was 80 ms late" in text


def test_what_got_worse_is_told() -> None:
    old, new = result_of(metrics_of(Run(seed=1))), result_of(metrics_of(Run(seed=2, slower=1.6)))
    new["comparison"] = compare(old, new).as_json()
    assert re.search(r"ttfe p50 .*1\.6.x .* worse", printed(new))


def test_the_live_line_fits_80_columns_however_much_there_is() -> None:
    now = Snapshot.of(metrics_of(Run()), 75.9, 24)
    assert str(progress_line(now)).startswith("1:15  24 users  ")
    assert "lag" in str(progress_line(now))
    much = replace(
        now, elapsed_s=35_999, users=2000, ended=123_456, bad=12_345, goodput=123.4, violations=99, problems=("late",)
    )
    line = str(progress_line(much))
    assert len(line) <= 80
    assert "99 violations  generator late" in line


def test_the_live_line_has_no_number_where_nothing_was_measured() -> None:
    assert (
        str(progress_line(Snapshot.of(Metrics(), 0.0, 0))) == "0:00  0 users  0 tasks, 0 bad  0 good/s  ttfe –  lag –"
    )
