"""What a run is doing, while it does it: one line in place on a terminal, a line now and then in a log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Self, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from sendpoll.core.reports.console import console_for
from sendpoll.core.text.safe import encodable, visible
from sendpoll.core.text.units import counted

_LOG_EVERY = 10.0
"""Seconds between two lines of a log."""
_PHASE_EVERY = 2.0
"""Seconds between two lines that tell of a new phase: short ones are not worth a line each."""
_REFRESHES_PER_SECOND = 4
_BEAT = 0.5
"""Seconds between two looks at whether a line is due."""


class Progress:
    """Progress of a run, for standard error. A context manager; its methods may be called from any thread."""

    def __init__(
        self, stream: TextIO, rows: int | None, clock: Callable[[], float] = time.monotonic, noun: str = "row"
    ) -> None:
        """`rows` is how many requirements, or how many of what `noun` says, will be judged.

        None where nobody knows; `clock` gives seconds.
        """
        self._stream = stream
        self._rows = rows
        self._noun = noun
        self._clock = clock
        self._started = self._logged = clock()
        self._phase = ""
        self._done = self._failed = self._requests = 0
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._over = threading.Event()
        self._beating: threading.Thread | None = None

    def __enter__(self) -> Self:
        console = console_for(self._stream)
        if console.is_terminal and not console.is_dumb_terminal:
            self._live = Live(
                self,
                console=console,
                refresh_per_second=_REFRESHES_PER_SECOND,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        else:
            self._beating = threading.Thread(target=self._beat, name="progress", daemon=True)
            self._beating.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the line in place away again; nothing is left of it on the terminal."""
        self._over.set()
        if self._beating is not None:
            self._beating.join()
            self._beating = None
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _beat(self) -> None:
        """Log now and then while nothing happens: a log that stands still looks like a run that hangs."""
        while not self._over.wait(_BEAT):
            with self._lock:
                self._log_now_and_then()

    def note(self, sentence: str) -> None:
        """Something was learnt that the user wants to know now."""
        line = f"{self._seconds()} {visible(sentence)}"
        with self._lock:
            if self._live is not None:
                self._live.console.print(encodable(line, self._stream.encoding))
            else:
                self._write(line)

    def phase(self, name: str) -> None:
        """A new part of the run begins."""
        with self._lock:
            first, self._phase = not self._phase, name
            if first or self._clock() - self._logged >= _PHASE_EVERY:
                self._log()

    def row(self, *, failed: bool = False) -> None:
        """One more requirement is judged."""
        with self._lock:
            self._done += 1
            self._failed += failed
            self._log_now_and_then()

    def request(self) -> None:
        """One more request was answered, or was not."""
        with self._lock:
            self._requests += 1
            self._log_now_and_then()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The line, made anew for every refresh so that its seconds go on while a server is silent."""
        text = Text(encodable(self._line(), self._stream.encoding), no_wrap=True, overflow="ellipsis")
        text.truncate(max(1, options.max_width - 1), overflow="crop")
        yield text

    def _log_now_and_then(self) -> None:
        if self._clock() - self._logged >= _LOG_EVERY:
            self._log()

    def _log(self) -> None:
        if self._live is None:
            self._logged = self._clock()
            self._write(self._line())

    def _write(self, line: str) -> None:
        self._stream.write(f"{encodable(line, self._stream.encoding)}\n")
        self._stream.flush()

    def _seconds(self) -> str:
        seconds = f"{self._clock() - self._started:.0f} s"
        return f"[{seconds:>5}]"

    def _line(self) -> str:
        failed = f", {self._failed} failed" if self._failed else ""
        of = (
            counted(self._done, self._noun)
            if self._rows is None
            else f"{self._done} of {counted(self._rows, self._noun)}"
        )
        done = f"{of}{failed}"
        return f"{self._seconds()} {visible(self._phase)}: {done}, {counted(self._requests, 'request')}"
