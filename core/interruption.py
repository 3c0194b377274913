"""What a command does when a signal asks it to end: it ends early with what it has, and then lets nothing disturb it.

SIGINT comes from Ctrl-C and from CI systems that cancel a job, SIGTERM from `docker stop` and time limits, SIGHUP from
a terminal that is closed. They come more than once: GitHub's runner sends SIGINT, after 7.5 s SIGTERM, and after
another 2.5 s kills. So whatever is still to be written is written within `GRACE_S` of the first, and a second changes
nothing about that.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final, Self

SIGNALS: Final = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
GRACE_S: Final = 5.0
"""Seconds from the first signal until everything is written and the process has ended."""
_INSISTED: Final = 4
"""Signals after which the process ends at once, whatever is unwritten: somebody at a terminal means it."""


class CutShortError(KeyboardInterrupt):
    """A signal came when there was nothing to be told yet."""

    def __init__(self, number: int) -> None:
        super().__init__(signal_name(number))
        self.number = number


def signal_name(number: int) -> str:
    """Such as `SIGTERM`."""
    return signal.Signals(number).name


def exit_code(number: int) -> int:
    """What a process ends with that a signal has ended, as shells tell it."""
    return 128 + number


def end_with_parent(code: int) -> None:
    """End this process with a code when whoever started it is gone: its standard input, a pipe of theirs, ends then.

    Works also where the parent was killed. Not for a process that gevent patches, now or later: a thread that lives by
    then keeps the locks of imports from being taken.
    """

    def watch() -> None:
        while os.read(0, 4096):
            pass
        os._exit(code)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


class Interruption:
    """The signals of one command, from its start to its end. A context manager for the main thread.

    The first signal calls what `during` was given; before there is such work it raises CutShortError, and after it
    the result is being written, which no signal stops. Signals that were ignored when the process began stay ignored,
    as `nohup` means it.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The first signal that came while there was work to be cut short; None: none did."""
        self._act: Callable[[int], None] | None = None
        self._is_over = False
        self._late: int | None = None
        """A signal that came between two pieces of work."""
        self._times = 0
        self._before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():  # a command that was cut short has only to end
            signal.signal(number, handler if self.number is None else signal.SIG_IGN)
        self._before.clear()

    @contextlib.contextmanager
    def whole(self) -> Iterator[None]:
        """What an exception in its middle would break, such as an import: a signal is heard when it is done."""
        with self.during(lambda _: None):
            yield
        self._is_over = False
        if self.number is not None:
            raise CutShortError(self.number)

    @contextlib.contextmanager
    def during(self, act: Callable[[int], None]) -> Iterator[None]:
        """The work: the first signal calls `act` with its number, once, between two steps of the main thread."""
        self._act, self._is_over = act, False
        if self.number is None:
            self.number = self._late
        if self.number is not None:
            act(self.number)
        try:
            yield
        finally:
            self._act, self._is_over = None, True

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        self._times += 1
        if self._times >= _INSISTED:
            sys.stderr.flush()
            os._exit(exit_code(number))
        if self.number is not None:
            return
        if self._is_over:
            self._late = number
            return
        self.number = number
        if self._act is None:
            raise CutShortError(number)
        self._act(number)
