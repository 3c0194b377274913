"""The standard streams as a command writes to them: nothing in them acts, and nothing about them changes a verdict."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping
from typing import BinaryIO, Final, TextIO, cast

from sendpoll.core.reports.ci_log import CommandBreaker, obeys_its_log
from sendpoll.core.text.safe import SPELLED_OUT, visible

_STANDARD: Final = (0, 1, 2)


class SafeStream(io.TextIOWrapper):
    """A standard stream through which everything goes that a command writes, tracebacks included.

    Every text is made visible, what an encoding lacks is spelled out, and where a CI runner obeys what it reads, no
    line is a command but those of `command`. With `may_fail`, as for progress, a stream that cannot be written to any
    more falls silent; else BrokenPipeError and OSError are raised.
    """

    def __init__(
        self, buffer: BinaryIO, encoding: str, *, breaks_commands: bool = False, may_fail: bool = False
    ) -> None:
        super().__init__(buffer, encoding=encoding, errors=SPELLED_OUT, newline="\n", line_buffering=True)
        self._break = CommandBreaker() if breaks_commands else None
        self._may_fail = may_fail
        self._is_dead = False

    def write(self, text: str, /) -> int:
        """Write a text that is only to be read."""
        return self.write_styled(visible(text, keep="\n\t"))

    def write_styled(self, text: str) -> int:
        """Write a text whose control characters are our own."""
        self._write(text if self._break is None else self._break(text))
        return len(text)

    def command(self, line: str) -> None:
        """Write a line that the CI runner is to obey."""
        self._write(f"{line}\n")

    def flush(self) -> None:
        """Hand on what was written."""
        try:
            super().flush()
        except OSError:
            self._fall_silent()

    def _write(self, text: str) -> None:
        if self._is_dead:
            return
        try:
            super().write(text)
        except OSError:
            self._fall_silent()

    def _fall_silent(self) -> None:
        """Called while the error is handled."""
        if not self._may_fail:
            raise  # noqa: PLE0704 - the error that is being handled
        if not self._is_dead:
            self._is_dead = True
            self.discard()

    def discard(self) -> None:
        """Let what is written from now on, and what is buffered, go nowhere."""
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
            os.dup2(nowhere.fileno(), self.fileno())


class _Styled:
    """A safe stream as a console sees it, which styles what it has made safe itself."""

    def __init__(self, stream: SafeStream) -> None:
        self._stream = stream
        self.write = stream.write_styled
        self.encoding = stream.encoding

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()


def for_console(stream: TextIO) -> TextIO:
    """The stream to which a console may write styles and cursor movements."""
    return cast("TextIO", _Styled(stream)) if isinstance(stream, SafeStream) else stream


def write_command(line: str, stream: TextIO) -> None:
    """Write a line that a CI runner is to obey."""
    if isinstance(stream, SafeStream):
        stream.command(line)
    else:
        stream.write(f"{line}\n")


def open_closed_streams() -> None:
    """Give each standard stream that was closed before we began (`2>&-`) a place that takes everything.

    Else the next file or socket that is opened gets its number, and whatever is written to the stream goes there.
    """
    for number in _STANDARD:
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", encoding="utf-8", closefd=False))  # noqa: SIM115 - it lasts as long as the process


@contextlib.contextmanager
def guarded_streams(environ: Mapping[str, str]) -> Iterator[None]:
    """Have all that this process writes go through safe streams."""
    open_closed_streams()
    before = {name: getattr(sys, name) for name in ("stdout", "stderr")}
    safe = {
        name: SafeStream(
            cast("BinaryIO", stream.buffer),
            stream.encoding,
            breaks_commands=obeys_its_log(environ),
            may_fail=name == "stderr",
        )
        for name, stream in before.items()
        if isinstance(stream, io.TextIOWrapper)
    }
    try:
        for name, stream in safe.items():
            before[name].flush()
            setattr(sys, name, stream)
        yield
    finally:
        for name, stream in safe.items():
            setattr(sys, name, before[name])
            try:
                stream.flush()
            except OSError:
                stream.discard()  # else Python would try again at its end, and end with a code of its own
            stream.detach()
