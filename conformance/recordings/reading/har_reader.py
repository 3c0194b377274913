"""Reads a HAR entry by entry, however large it is: only one entry is ever held."""

from __future__ import annotations

from collections.abc import Iterator

from sendpoll.conformance.recordings.exchange_json import UnusableError
from sendpoll.conformance.recordings.reading.har_entry import exchange_of
from sendpoll.conformance.recordings.reading.json_stream import BrokenJsonError, elements
from sendpoll.conformance.recordings.reading.left_out import LeftOut
from sendpoll.conformance.recordings.reading.recording_file import RecordingFile, TooLargeError
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange


def read_har(file: RecordingFile, left_out: LeftOut) -> Iterator[RecordedExchange]:
    """The exchanges of a HAR in its order. What is wrong with the file ends them, and is told in `left_out`."""
    number = 0
    entries = elements(file.stream, "log", "entries")
    while True:
        try:
            entry = next(entries, None)
        except TooLargeError:
            left_out.end(f"entry {number + 1} is larger than any exchange is; what comes behind it was not read")
            return
        except BrokenJsonError as error:
            left_out.end(f"it is no JSON behind entry {number}, and was read up to there: {str(error)[:120]}")
            return
        if entry is None:
            return
        number += 1
        file.next_exchange()
        try:
            yield exchange_of(entry, f"entry {number}")
        except UnusableError as problem:
            left_out.add(str(problem), f"entry {number}")
