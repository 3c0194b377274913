"""Reads recordings of one exchange a line: `files/recorded-exchange.json`."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any

from sendpoll.conformance.recordings.exchange_json import UnusableError, from_json
from sendpoll.conformance.recordings.reading.left_out import LeftOut
from sendpoll.conformance.recordings.reading.recording_file import ENTRY_LIMIT, RecordingFile
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.core.files.errors import FileError
from sendpoll.core.files.parsed import Parsed
from sendpoll.core.files.schema import require


def read_ndjson(file: RecordingFile, left_out: LeftOut) -> Iterator[RecordedExchange]:
    """The exchanges of a recording in its order; a line that is none is told in `left_out`, and the next is read."""
    for number, value in json_lines(file, left_out):
        place = f"line {number}"
        try:
            require(Parsed(value), "files/recorded-exchange.json", place)
            yield from_json(value, place)
        except FileError as problem:
            left_out.add(f"it is not as the format has it: {str(problem).partition(': ')[2]}", place)
        except UnusableError as problem:
            left_out.add(str(problem), place)


def json_lines(file: RecordingFile, left_out: LeftOut) -> Iterator[tuple[int, Any]]:
    """The JSON value of each line that has one, with the number of the line."""
    number = 0
    while line := file.stream.readline(ENTRY_LIMIT):
        number += 1
        file.next_exchange()
        place = f"line {number}"
        if not line.endswith(b"\n") and len(line) >= ENTRY_LIMIT:
            left_out.end(f"{place} is longer than any exchange is; what comes behind it was not read")
            return
        if not line.strip():
            continue
        try:
            yield number, json.loads(line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)
        except UnicodeDecodeError:
            left_out.add("it is no UTF-8", place)
        except (ValueError, RecursionError):
            if line.endswith(b"\n"):
                left_out.add("it is no JSON text", place)
            else:
                left_out.end(f"it breaks off in {place}")
