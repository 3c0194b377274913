"""The files of a report: each whole or not there, and none lost without a word.

A file is written under another name in the same folder and moved over the old one, so that a reader finds the one or
the other, and a link is replaced and never followed.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

Rendering = str | Iterable[str]
"""A file's text, or its lines as they are made."""


class ReportFileError(Exception):
    """A report could not be written as it should be; the message names the files."""


class UnwrittenError(ReportFileError):
    """Something could not be written; the message names each file and the reason."""

    def __init__(self, reasons: Mapping[Path, str]) -> None:
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in reasons.items()))


class InvalidFileError(ReportFileError):
    """A file is not as its schema says; the message names the file and the place."""


def json_text(value: Any) -> str:
    """JSON in ASCII, in which no character of a stranger acts on whoever prints the file."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, indent=1).replace("\x7f", "\\u007f") + "\n"


def require_schema(value: object, schema: str, source: str) -> None:
    """Raise InvalidFileError where a value is not as a schema of `schemas/files` says; `source` names its file."""
    from sendpoll.core.validation import validator  # noqa: PLC0415 - the list of commands imports this module, and needs none

    for broken in validator(f"files/{schema}").iter_errors(value):
        where = "/".join(str(part) for part in broken.absolute_path) or "the file"
        raise InvalidFileError(f"{source}: {where} is not as this version has it: {broken.message[:200]}")


def make_folder(folder: Path) -> None:
    """Make the folder of a report if need be, and try it. Raises OSError with the folder's name."""
    folder.mkdir(parents=True, exist_ok=True)
    try_folder(folder)


def try_folder(folder: Path) -> None:
    """Make a file in the folder as reports are made. Raises OSError with the folder's name.

    To be called before the first request: a run may be long, and may have cost money.
    """
    try:
        with tempfile.NamedTemporaryFile(prefix=".sendpoll.", dir=folder) as file:
            file.write(b"sendpoll")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(error.errno, error.strerror, os.fspath(folder)) from error


def write_file(path: Path, content: Rendering) -> None:
    """Write one file. Raises OSError; what was there before is there still then."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.writelines((content,) if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise


def write_files(folder: Path, files: Iterable[tuple[str, Callable[[], Rendering]]]) -> tuple[Path, ...]:
    """Write files into a folder, each as soon as it is made; the paths written.

    One that cannot be written keeps none of the others from it. Raises UnwrittenError at the end.
    """
    written: list[Path] = []
    unwritten: dict[Path, str] = {}
    for name, make in files:
        path = folder / name
        try:
            write_file(path, make())
        except OSError as error:
            unwritten[path] = error.strerror or str(error)
        else:
            written.append(path)
    if unwritten:
        raise UnwrittenError(unwritten)
    return tuple(written)


def write_report(
    folder: Path, name: str, schema: str, value: Mapping[str, Any], renderings: Mapping[str, Callable[[], Rendering]]
) -> tuple[Path, ...]:
    """Write a report as JSON under `name`, and what is made of it beside; the paths written.

    A report that breaks its schema is a fault of ours: the JSON is written all the same, so that the evidence is not
    lost, and nothing is made of it. Raises InvalidFileError then, and UnwrittenError.
    """
    source = str(folder / name)
    try:
        require_schema(value, schema, source)
    except InvalidFileError:
        write_files(folder, [(name, lambda: json_text(value))])
        raise
    return write_files(folder, [(name, lambda: json_text(value)), *renderings.items()])


@contextlib.contextmanager
def printed_anyway(show: Callable[[], None]) -> Iterator[None]:
    """Write files first and show the result then, also where they could not be written."""
    try:
        yield
    finally:
        show()


def lines_of(values: Iterable[Any]) -> Iterator[str]:
    """JSON values as JSON Lines, in ASCII."""
    for value in values:
        yield json.dumps(value, ensure_ascii=True, allow_nan=False).replace("\x7f", "\\u007f") + "\n"
