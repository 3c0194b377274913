"""What is made of the exchanges that go by: judged, told as they happen, and written down as they come."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TextIO

from sendpoll.conformance.http.exchange import Exchange, Request
from sendpoll.conformance.recordings.api_calls import ApiCall, find_call
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.recordings.writing.har_writer import HarWriter
from sendpoll.conformance.recordings.writing.masks import Masks, RecordingWriter
from sendpoll.conformance.recordings.writing.ndjson_writer import NdjsonWriter
from sendpoll.conformance.rules.predicates import events_of, poll_data
from sendpoll.conformance.server.probing.created_resources import identifier
from sendpoll.core.oracle import RUNNING

RECORDINGS: Mapping[str, Callable[[TextIO, Iterable[str]], RecordingWriter]] = {
    "recording.ndjson": NdjsonWriter,
    "recording.har": HarWriter,
}
"""The files that are written as exchanges come, and who writes each."""
_TOLD_ANEW = 3
"""Times that one row's violations are told as they happen; the report has the rest."""
_MOST_TASKS = 10_000

Say = Callable[[str, bool], None]
"""Tells a person a line; whether it is a violation."""


class Watching:
    """Looks at each exchange, in one thread."""

    def __init__(self, judge: TrafficJudge, secrets: Iterable[str], say: Say, folder: Path | None) -> None:
        """Recordings go into `folder`, without the secrets and what requests bear. Raises OSError."""
        self._judge = judge
        known = tuple(secrets)
        self._masks = Masks(known)
        self._say = say
        self._told: Counter[str] = Counter()
        self._events: dict[str, int] = {}
        """Task to the events that were seen of it."""
        self.unwritten: dict[Path, str] = {}
        """Recordings that could not be written, and why."""
        self._files: list[tuple[Path, TextIO, RecordingWriter]] = []
        for name, made in RECORDINGS.items():
            if folder is None:
                break
            path = folder / name
            stream = path.open("w", encoding="utf-8", newline="\n")
            self._files.append((path, stream, made(stream, known)))

    def see(self, recorded: RecordedExchange) -> None:
        """Take in one exchange."""
        self._masks.learn_from(recorded)
        for path, stream, writer in list(self._files):
            try:
                writer.add(recorded)
                stream.flush()
            except OSError as problem:
                self._give_up(path, problem)
        call = find_call(recorded.method, recorded.url)
        if call is not None:
            for line in self._lines(recorded, call):
                self._say(self._masks.text(line), False)
        for seen in self._judge.add(recorded):
            self._told[seen.requirement] += 1
            if self._told[seen.requirement] <= _TOLD_ANEW:
                self._say(self._masks.text(f"{seen.requirement}  {seen.sentence}"), True)

    def _lines(self, recorded: RecordedExchange, call: ApiCall) -> Iterator[str]:
        exchange = Exchange(
            number=0,
            request=Request(
                method=recorded.method, target=call.target, headers=recorded.request_headers, operation=call.operation
            ),
            response=recorded.response,
            timing=recorded.timing,
            failure=recorded.failure,
            detail=recorded.detail,
        )
        took = 1000 * (recorded.timing.finished - recorded.timing.started)
        outcome = "the client left" if recorded.abandoned else exchange.outcome
        data = poll_data(exchange) if call.operation == "pollTask" else None
        if data is None:
            made = identifier(exchange, "task_id") if call.operation == "sendMessage" else None
            yield f"{recorded.method} {call.target}  {outcome}, {took:.0f} ms{f', task {made}' if made else ''}"
            return
        task, events = call.ids.get("task_id", ""), len(events_of(exchange))
        status = data.get("status")
        if events or status != RUNNING:
            if len(self._events) >= _MOST_TASKS:
                self._events.clear()
            self._events[task] = self._events.get(task, 0) + events
            yield f"task {task}  {events} events, {self._events[task]} seen; {status}"

    def _give_up(self, path: Path, problem: OSError) -> None:
        self.unwritten[path] = problem.strerror or str(problem)
        self._say(f"{path} is written no further: {self.unwritten[path]}", True)
        for one in [one for one in self._files if one[0] == path]:
            self._files.remove(one)
            with contextlib.suppress(OSError):
                one[1].close()

    def close(self) -> None:
        """End the recordings."""
        for path, stream, writer in list(self._files):
            try:
                writer.close()
                stream.close()
            except OSError as problem:
                self._give_up(path, problem)
        self._files.clear()
