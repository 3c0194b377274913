"""`sendpoll check --watch`: judge a server again whenever it was started anew, or a key is pressed.

Each run is a process of its own, so that nothing of one is left in the next.
"""

from __future__ import annotations

import contextlib
import functools
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Final

from sendpoll.conformance.reporting.write import REPORT_NAME, ReportError, read_report
from sendpoll.conformance.results import view
from sendpoll.conformance.results.changes import Changes, changes
from sendpoll.conformance.results.report_json import Report
from sendpoll.core.dialing.restarts import Restarts
from sendpoll.core.dialing.waiting import wait_until_it_answers
from sendpoll.core.interruption import Interruption, exit_code
from sendpoll.core.reports.console import Printer
from sendpoll.core.target.target import Target
from sendpoll.core.text.units import counted

_LOOKS: Final = 0.5
"""Seconds between two looks at the server."""
_ANSWER_SECONDS: Final = 60
"""What a server that was started anew may take to answer."""
_QUIT: Final = frozenset({"q", "\x04"})
_FIRST: Final = 20
"""Rows, at most, that are judged before all others: a command has room for no more."""


class Turn(Enum):
    """What ended the wait for the next run."""

    KEY = "key"
    RESTART = "restart"
    END = "end"


class Watch:
    """Runs `sendpoll` with the words of a check, again and again, and tells what changed."""

    def __init__(self, target: Target, words: Sequence[str], report_dir: Path | None, *, failed_first: bool) -> None:
        """`failed_first`: whether what failed is judged alone before each further run."""
        self._target = target
        self._words = tuple(words)
        self._folder = report_dir
        self._failed_first = failed_first
        self._last: Report | None = None
        self._code = 0
        self._running: subprocess.Popen[bytes] | None = None
        self._out = Printer(sys.stdout)

    def run(self, interruption: Interruption) -> int:
        """Until `q` is pressed, with the last run's exit code; or until a signal comes, with its own."""
        restarts = Restarts(self._target)
        with interruption.during(self._hand_on), tempfile.TemporaryDirectory(prefix="sendpoll-watch-") as own:
            while interruption.number is None:
                self._judge(self._folder or Path(own), Path(own) / "first")
                turn = Turn.END if interruption.number is not None else self._wait(restarts, interruption)
                if turn is Turn.END:
                    break
                if turn is Turn.RESTART:
                    self._until_it_answers(interruption)
                    restarts.restarted()  # what started meanwhile is what will be judged
        return self._code if interruption.number is None else exit_code(interruption.number)

    def _hand_on(self, number: int) -> None:
        if self._running is not None:
            self._running.send_signal(number)

    def _wait(self, restarts: Restarts, interruption: Interruption) -> Turn:
        with _keys() as pressed:  # first: a key that comes while the terminal is prepared for keys is thrown away
            self._out.line("")
            self._out.line(("Watching: judged again when the server is started anew, or at a key; q ends.", "dim"))
            while interruption.number is None:
                if key := pressed(_LOOKS):
                    return Turn.END if key in _QUIT else Turn.KEY
                if restarts.restarted():
                    return Turn.RESTART
        return Turn.END

    def _until_it_answers(self, interruption: Interruption) -> None:
        for _ in range(_ANSWER_SECONDS):
            if interruption.number is not None or wait_until_it_answers(self._target, 1.0):
                return

    def _judge(self, folder: Path, first: Path) -> None:
        before = self._last
        failed = [] if before is None else [row["id"] for row in view.rows_with(before, "fail")]
        if before is not None and failed and self._failed_first:
            rows = failed[:_FIRST]
            _, report = self._child([word for row in rows for word in ("--only", row)], first, quiet=True)
            if report is not None:
                self._tell(changes(before, report), f"Of the {counted(len(rows), 'row')} that failed")
        self._code, report = self._child([], folder, quiet=False)
        if report is not None:
            if before is not None:
                self._tell(changes(before, report), "Since the run before")
            self._last = report

    def _child(self, more: Sequence[str], folder: Path, *, quiet: bool) -> tuple[int, Report | None]:
        """Run one check; its exit code, and its report where it wrote one."""
        command = [sys.executable, "-m", "sendpoll.cli.main", *self._words, *more, "--report-dir", str(folder)]
        written = folder / REPORT_NAME
        written.unlink(missing_ok=True)  # else a run that writes none would be told by the one before
        sink = subprocess.DEVNULL if quiet else None
        self._running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink)  # noqa: S603 - our own program
        try:
            code = self._running.wait()
        finally:
            self._running = None
        try:
            return code, read_report(written)
        except ReportError:
            return code, None  # the run's own words say why

    def _tell(self, found: Changes, since: str) -> None:
        told = {"mended": "green", "broken": "bold red", "still": "red", "open": "yellow"}
        self._out.line("")
        self._out.line(f"{since}:" if any(getattr(found, kind) for kind in told) else f"{since}: nothing changed.")
        for kind, style in told.items():
            rows: tuple[str, ...] = getattr(found, kind)
            if rows:
                self._out.block(kind, ", ".join(rows), style=style)


@contextlib.contextmanager
def _keys() -> Iterator[Callable[[float], str]]:
    """What waits so many seconds for a key: the key, or nothing. Where there is no terminal, it only waits."""
    try:
        import termios
        import tty
    except ImportError:
        yield _no_key
        return
    try:
        terminal = sys.stdin.fileno()
        before = termios.tcgetattr(terminal)
    except (OSError, ValueError, termios.error):
        yield _no_key
        return
    tty.setcbreak(terminal)
    try:
        yield functools.partial(_key, terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _key(terminal: int, seconds: float) -> str:
    if not select.select([terminal], [], [], seconds)[0]:
        return ""
    return os.read(terminal, 1).decode("latin-1") or "q"  # a terminal that is closed


def _no_key(seconds: float) -> str:
    time.sleep(seconds)
    return ""
