"""Opens a recording, however large, as a stream of bytes that knows how far it was read, and tells its format."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import stat
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sendpoll.core.files.errors import FileError

_BUFFER: Final = 1024 * 1024
_PEEKED: Final = 64 * 1024
ENTRY_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of one exchange of a recording; a larger one would be held in memory as a whole."""
STDIN: Final = Path("-")
_FIRST_KEY: Final = re.compile(rb'\s*\{\s*"([^"\\]{1,40})"')
_FLOWS: Final = re.compile(rb"[0-9]{1,12}:[0-9]{1,12}:")
_OTHER: Final = (
    (codecs.BOM_UTF32_LE, "is written in UTF-32; save it as UTF-8"),
    (codecs.BOM_UTF16_LE, "is written in UTF-16; save it as UTF-8"),
    (codecs.BOM_UTF16_BE, "is written in UTF-16; save it as UTF-8"),
    (b"\x1f\x8b", "is compressed by gzip; give what it holds: gunzip -c FILE | sendpoll judge -"),
    (b"PK\x03\x04", "is a zip archive, such as Playwright makes of a .har.zip; unpack it and give the HAR in it"),
)


class RecordingFormat(StrEnum):
    """What a recording is written in."""

    HAR = "HAR"
    NDJSON = "NDJSON"
    FLOWS = "mitmproxy flows"
    REPORT = "report.json"
    TASKS = "tasks.jsonl"


_KEYS: Final = {
    "log": RecordingFormat.HAR,
    "schema_version": RecordingFormat.REPORT,
    **dict.fromkeys(
        ("started_at", "request", "response", "took_s", "connection", "client", "wire", "failure", "first_byte_s"),
        RecordingFormat.NDJSON,
    ),
    "step": RecordingFormat.TASKS,
    "scheduled_at": RecordingFormat.TASKS,
}


class _Counted(io.RawIOBase):
    """Bytes of a descriptor, counted, and bounded between two exchanges."""

    def __init__(self, descriptor: int, on_read: Callable[[int], None], *, close: bool) -> None:
        self._descriptor = descriptor
        self._on_read = on_read
        self._close = close
        self.since = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = os.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        self.since += len(data)
        if self.since > ENTRY_LIMIT + _BUFFER:
            raise TooLargeError
        self._on_read(len(data))
        return len(data)

    def close(self) -> None:
        if self._close and not self.closed:
            os.close(self._descriptor)
        super().close()


class TooLargeError(Exception):
    """One exchange of a recording is larger than any is read."""


class RecordingFile:
    """A recording that is being read. A context manager."""

    def __init__(self, path: Path, on_read: Callable[[int], None] = lambda _: None) -> None:
        """`on_read` is told of bytes as they are read; Path("-") is standard input. Raises FileError."""
        self.name = "standard input" if path == STDIN else str(path)
        descriptor = sys.stdin.fileno() if path == STDIN else _opened(path)
        self._raw = _Counted(descriptor, on_read, close=path != STDIN)
        self.stream = io.BufferedReader(self._raw, _BUFFER)

    def next_exchange(self) -> None:
        """An exchange has been read; the bound of its size begins anew."""
        self._raw.since = 0

    @property
    def format(self) -> RecordingFormat:
        """What it is written in, from its first bytes. Raises FileError."""
        try:
            begin = self.stream.peek(_PEEKED)
        except OSError as error:
            raise FileError(f"{self.name}: {error.strerror or error}") from error
        if not begin.strip():
            raise FileError(f"{self.name} is empty")
        for mark, told in _OTHER:
            if begin.startswith(mark):
                raise FileError(f"{self.name} {told}")
        begin = begin.removeprefix(codecs.BOM_UTF8)
        if _FLOWS.match(begin):
            return RecordingFormat.FLOWS
        found = _KEYS.get(_first_key(begin))
        if found is None:
            known = ", ".join(RecordingFormat)
            raise FileError(f"{self.name} is none of the recordings that are known: {known}")
        return found

    def __enter__(self) -> RecordingFile:
        """The recording, to be closed at the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.stream.close()


def size_of(path: Path) -> int | None:
    """Bytes of a recording; None where nobody knows before it was read."""
    try:
        return path.stat().st_size if path != STDIN and path.is_file() else None
    except OSError:
        return None


def _opened(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    kind = os.fstat(descriptor).st_mode
    if stat.S_ISREG(kind) or stat.S_ISFIFO(kind):
        return descriptor
    os.close(descriptor)
    raise FileError(f"{path} is {'a folder; name a file in it' if stat.S_ISDIR(kind) else 'no file; name a file'}")


def _first_key(begin: bytes) -> str:
    """The key that tells the format: a line that is whole may have any of them first."""
    line = begin.lstrip().partition(b"\n")[0]
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        return next((key for key in _KEYS if key in value), "")
    first = _FIRST_KEY.match(begin)
    return first[1].decode("utf-8", "replace") if first else ""
