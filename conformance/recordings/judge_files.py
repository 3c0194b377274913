"""Judges recordings that lie in files: each is read by its format, all of them are judged as one."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

from sendpoll.conformance.recordings.ordering import in_order
from sendpoll.conformance.recordings.reading.flow_reader import read_flows
from sendpoll.conformance.recordings.reading.har_reader import read_har
from sendpoll.conformance.recordings.reading.left_out import LeftOut
from sendpoll.conformance.recordings.reading.ndjson_reader import read_ndjson
from sendpoll.conformance.recordings.reading.recording_file import RecordingFile, RecordingFormat
from sendpoll.conformance.recordings.reading.report_reader import read_own_report
from sendpoll.conformance.recordings.reading.task_log_reader import read_task_log
from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.results.report_json import Report

ExchangeReader = Callable[[RecordingFile, LeftOut], Iterable[RecordedExchange]]
_READERS: Mapping[RecordingFormat, ExchangeReader] = MappingProxyType(
    {RecordingFormat.HAR: read_har, RecordingFormat.NDJSON: read_ndjson, RecordingFormat.FLOWS: read_flows}
)
"""The formats of exchanges; a report and a log of tasks tell more, or less, than those."""
OrderedExchanges = Iterator[tuple[RecordedExchange, bool]]


def judge_files(
    paths: Sequence[Path], judge: TrafficJudge, on_read: Callable[[int], None], on_exchange: Callable[[], bool]
) -> Report:
    """The report on recordings.

    `on_read` is told of bytes as they are read, and `on_exchange` is asked after each exchange whether to go on.

    Raises FileError for a file that is no recording.
    """
    left_out = [LeftOut(str(path)) for path in paths]
    with ExitStack() as stack:
        streams: list[OrderedExchanges] = []
        for path, notes in zip(paths, left_out, strict=True):
            file = stack.enter_context(RecordingFile(path, on_read))
            streams.append(_opened(file, notes, judge))
        for recorded, is_in_order in heapq.merge(*streams, key=lambda one: one[0].timing.finished):
            judge.add(recorded, in_order=is_in_order)
            if not on_exchange():
                break
    return judge.report([note for notes in left_out for note in notes.notes])


def _opened(file: RecordingFile, left_out: LeftOut, judge: TrafficJudge) -> OrderedExchanges:
    """The exchanges of one file in order; what else it tells goes to the judge at once."""
    kind = file.format
    if kind is RecordingFormat.REPORT:
        told = read_own_report(file)
        for task_id, poll in told.polls:
            judge.add_poll(told.base_url, task_id, poll)
        return ((one, True) for one in told.exchanges)
    if kind is RecordingFormat.TASKS:
        for task in read_task_log(file, left_out):
            judge.add_told(task.place, task.polls, task.violations, has_events=bool(task.events), is_over=task.is_over)
        return iter(())
    return in_order(_READERS[kind](file, left_out))
