"""Shows a run while it lasts: one line that is written over on a terminal, a line now and then where there is none."""

from __future__ import annotations

from typing import Final

from rich.live import Live

from sendpoll.core.reports.console import SafeConsole
from sendpoll.load.engine import Order, View
from sendpoll.load.measure.health import overall
from sendpoll.load.report.result_terminal import Snapshot, progress_line

_PLAIN_EVERY_S: Final = 10.0


class LiveProgress:
    """Progress on a console, which should be standard error: standard output is for the result."""

    def __init__(self, console: SafeConsole) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None
        self._shown_at = 0.0
        self._drains = False

    def __enter__(self) -> LiveProgress:
        """Begin to show."""
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Show no more."""
        if self._live:
            self._live.stop()

    def __call__(self, view: View, order: Order) -> None:
        """Show how the run stands."""
        if not order.users and not self._drains and view.elapsed > 1:
            self._drains = True
            self._console.print("Ending: no task is started any more.", style="dim")
        if not self._live and view.elapsed - self._shown_at < _PLAIN_EVERY_S:
            return
        self._shown_at = view.elapsed
        problems = (*view.problems, *overall(view.health).problems)
        line = progress_line(Snapshot.of(view.metrics, view.elapsed, view.users, problems))
        if self._live:
            self._live.update(line, refresh=True)
        else:
            self._console.print(line)
