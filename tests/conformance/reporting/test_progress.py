from __future__ import annotations

import io
import threading

import pytest

from sendpoll.conformance.reporting.progress import Progress


class _Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class _Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_log_has_a_line_a_phase_and_one_now_and_then() -> None:
    stream, clock = io.StringIO(), _Clock()
    with Progress(stream, rows=3, clock=clock) as progress:
        progress.phase("preflight")
        for _ in range(30):
            clock.now += 1
            progress.request()
        progress.row(failed=True)
        progress.phase("too soon for a line")
        clock.now += 2
        progress.phase("probes")
    lines = stream.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[0] == "[  0 s] preflight: 0 of 3 rows, 0 requests"
    assert lines[-1] == "[ 32 s] probes: 1 of 3 rows, 1 failed, 30 requests"


def test_a_terminal_has_one_line_in_place_and_nothing_is_left_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = _Terminal()
    with Progress(stream, rows=3) as progress:
        progress.phase("probes\x1b[2J")
        progress.request()
    written = stream.getvalue()
    assert "\x1b[2J" not in written
    assert written.count("\n") <= 1
    assert written.rstrip().endswith(("\x1b[2K", "\x1b[?25h"))


def test_a_dumb_terminal_has_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = _Terminal()
    with Progress(stream, rows=1) as progress:
        progress.phase("probes")
    assert stream.getvalue() == "[  0 s] probes: 0 of 1 row, 0 requests\n"


def test_threads_may_count_together() -> None:
    stream, clock = io.StringIO(), _Clock()
    with Progress(stream, rows=9, clock=clock) as progress:

        def count() -> None:
            for _ in range(500):
                progress.request()

        threads = [threading.Thread(target=count) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.now += 2
        progress.phase("end")
    assert "2,000 requests" in stream.getvalue()


def test_closing_twice_is_no_fault() -> None:
    progress = Progress(io.StringIO(), rows=1)
    with progress:
        progress.close()


def test_a_log_goes_on_while_nothing_happens() -> None:
    stream, clock, guard = io.StringIO(), _Clock(), 20.0
    with Progress(stream, rows=3, clock=clock) as progress:
        progress.phase("tasks")
        clock.now += 11
        seen = threading.Event()
        for _ in range(int(guard / 0.05)):
            if "[ 11 s]" in stream.getvalue() or seen.wait(0.05):
                break
    assert "[ 11 s] tasks: 0 of 3 rows, 0 requests" in stream.getvalue()


def test_what_was_learnt_has_a_line_of_its_own_and_cannot_act() -> None:
    stream, clock = io.StringIO(), _Clock()
    with Progress(stream, rows=3, clock=clock) as progress:
        clock.now += 46
        progress.note("tasks take about 45 s\x1b[2J, 2 at once: about 6 minutes")
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("[ 46 s] tasks take about 45 s")
    assert "\x1b" not in line
