"""Reads what `sendpoll load` wrote of its tasks: verdicts of its users, who judged by the same oracle and schemas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sendpoll.conformance.recordings.reading.left_out import LeftOut
from sendpoll.conformance.recordings.reading.ndjson_reader import json_lines
from sendpoll.conformance.recordings.reading.recording_file import RecordingFile
from sendpoll.schemas.catalogue import load_catalogue


@dataclass(frozen=True, slots=True)
class LoggedTask:
    """What a load user says of one task."""

    place: str
    polls: int
    events: int
    is_over: bool
    violations: tuple[tuple[str, str], ...]
    """Requirement and sentence."""


def read_task_log(file: RecordingFile, left_out: LeftOut) -> Iterator[LoggedTask]:
    """The tasks of a `tasks.jsonl`; what is none of its lines is told in `left_out`."""
    known = load_catalogue().by_id
    for number, value in json_lines(file, left_out):
        place = f"line {number}"
        if not isinstance(value, dict) or not isinstance(value.get("outcome"), str):
            left_out.add("it is no task of a load run", place)
            continue
        yield LoggedTask(
            place,
            _count(value.get("polls")),
            _count(value.get("events")),
            value["outcome"] == "finished",
            tuple(pair for pair in _violations(value.get("violations")) if pair[0] in known),
        )


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _violations(told: Any) -> Iterator[tuple[str, str]]:
    for one in told if isinstance(told, list) else ():
        if isinstance(one, dict) and isinstance(one.get("requirement"), str) and isinstance(one.get("sentence"), str):
            yield one["requirement"], one["sentence"]
