"""The text of a file that a stranger may have made: a bounded number of bytes, in a bounded time, as UTF-8.

What is no file is refused before it is read: a device has no end. A pipe, as a shell makes for `<(...)`, is read for a
few seconds.
"""

from __future__ import annotations

import codecs
import os
import select
import stat
import time
from pathlib import Path
from typing import Final

from sendpoll.core.files.errors import FileError

_PIPE_SECONDS: Final = 3.0
_PIECE: Final = 65536
_BOMS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def read_source(path: Path, most: int) -> str:
    """The text of a file of at most so many bytes, without a byte order mark. Raises FileError."""
    return decoded(_read(path, most), str(path))


def decoded(raw: bytes, source: str) -> str:
    """The text that the bytes are in UTF-8. Raises FileError that names the coding that they seem to be in."""
    coding = next((name for mark, name in _BOMS if raw.startswith(mark)), None)
    if coding is None and b"\0" in raw[:4]:
        coding = "UTF-16"
    if coding is not None:
        raise FileError(f"{source} is written in {coding}; save it as UTF-8")
    try:
        return raw.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise FileError(
            f"{source}: line {line} holds the byte 0x{raw[error.start]:02X}, which is no UTF-8; it may be of a code "
            "page such as Windows-1252 (ANSI): save the file as UTF-8"
        ) from error


def _read(path: Path, most: int) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: {getattr(error, 'strerror', None) or error}") from error
    try:
        kind = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(kind):
            raise FileError(f"{path} is a folder; name a file in it")
        if not (stat.S_ISREG(kind) or stat.S_ISFIFO(kind)):
            raise FileError(f"{path} is a device, not a file; name a file")
        raw = _bytes(descriptor, path, most)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    finally:
        os.close(descriptor)
    if len(raw) > most:
        raise FileError(f"{path} is longer than {most // 1024:,} KiB, which no such file is; is it the right one?")
    return raw


def _bytes(descriptor: int, path: Path, most: int) -> bytes:
    """All bytes, or one more than may be."""
    raw = bytearray()
    until = time.monotonic() + _PIPE_SECONDS
    while len(raw) <= most:
        if not select.select([descriptor], [], [], max(0.0, until - time.monotonic()))[0]:
            raise FileError(f"{path} did not come to its end within {_PIPE_SECONDS:g} s; give a file")
        piece = os.read(descriptor, min(_PIECE, most + 1 - len(raw)))
        if not piece:
            break
        raw += piece
    return bytes(raw)
