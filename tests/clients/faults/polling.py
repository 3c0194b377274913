"""Faults in the poll envelope, in events and between tasks: POLL, EVT, ISO, QUEUE."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from sendpoll.conformance.client.serving.behaviour import Edit, Reshape
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest
from sendpoll.conformance.client.serving.right_api import Script, chunk
from tests.clients.fault import Fault, events, scripted
from tests.clients.faults.documents import BODILESS, of


def data(change: Callable[[dict[str, Any]], Mapping[str, Any] | None]) -> Edit:
    """A poll's data with some keys replaced; with all of them left as they are for None."""
    return of("pollTask", lambda right: {"data": {**right["data"], **(change(right["data"]) or {})}})


def without(key: str, when: Callable[[dict[str, Any]], bool]) -> Edit:
    """A poll's data without that key, when `when` is true of it."""

    def edit(right: dict[str, Any]) -> dict[str, Any]:
        kept = right["data"]
        return {"data": {name: value for name, value in kept.items() if name != key or not when(kept)}}

    return of("pollTask", edit)


def _is_running(right: dict[str, Any]) -> bool:
    return bool(right["status"] == "running")


def _is_final(right: dict[str, Any]) -> bool:
    return not _is_running(right)


def _is_first_text(right: dict[str, Any]) -> bool:
    return _is_running(right) and bool(right["events"])


def _is_empty(right: dict[str, Any]) -> bool:
    return not right["events"]


def _no_content_when_empty(request: ReceivedRequest, right: Answer) -> Answer:
    return Answer(204, BODILESS) if request.call == "pollTask" and b'"events": []' in right.body else right


def offset(written: Callable[[int], object]) -> Edit:
    """next_offset in another form, in every poll."""
    return data(lambda right: {"next_offset": written(right["next_offset"])})


def _exponents(request: ReceivedRequest, right: Answer) -> Answer:
    del request
    return right.with_body(re.sub(rb'("next_offset": \d+)', rb"\1e0", right.body))


def _always_from_the_start(request: ReceivedRequest) -> ReceivedRequest:
    return replace(request, target=re.sub("from=[0-9]+", "from=0", request.target))


def _shifted(by: int) -> Edit:
    """An offset beside the right one, behind the first text."""
    return data(lambda right: {"next_offset": right["next_offset"] + by} if _is_first_text(right) else None)


def _one_event_of_the_last(right: dict[str, Any]) -> Mapping[str, Any]:
    return {"events": right["events"][:1]} if _is_final(right) else {}


def _cumulative(message: str) -> list[Any]:
    told, log = "", []
    for event in events(message):
        if event["type"] == "text_chunk":
            told += event["data"]["content"]
            log.append(chunk(told))
    return log


def empty_events(value: object) -> Edit:
    """That in place of an empty array of events."""
    return data(lambda right: {"events": value} if _is_empty(right) else {})


def _cached(*headers: tuple[str, str]) -> Reshape:
    def reshape(request: ReceivedRequest, right: Answer) -> Answer:
        if request.call != "pollTask":
            return right
        return replace(
            right.with_header("Cache-Control", None), headers=(*right.headers[:1], *right.headers[2:], *headers)
        )

    return reshape


def _status(value: object, stage: int = 0) -> Edit:
    """That status in place of `running`: in the first poll, or in the one that has the first events."""
    return data(lambda right: {"status": value} if _is_running(right) and bool(right["events"]) == bool(stage) else {})


_ENVELOPE = (
    Fault("POLL-1", "no_content_when_nothing_is_new", "CPNBD", reshape=_no_content_when_empty),
    Fault("POLL-1", "no_envelope", "CPNBD", edit=of("pollTask", lambda right: right["data"])),
    Fault(
        "POLL-1",
        "data_is_null_when_nothing_is_new",
        "CPNBD",
        edit=of("pollTask", lambda right: right if right["data"]["events"] else {"data": None}),
    ),
    Fault("POLL-2", "absent_in_the_last", "PD", edit=without("next_offset", _is_final)),
    Fault("POLL-2", "absent_while_running", "CPNBD", edit=without("next_offset", _is_running)),
    Fault("POLL-3", "fraction", "CPD", edit=offset(float)),
    Fault("POLL-3", "exponent", "CPD", reshape=_exponents),
    Fault("POLL-3", "string", "D", edit=offset(str)),
    Fault(
        "POLL-3",
        "null_while_running",
        "CPNBD",
        edit=data(lambda right: {"next_offset": None} if _is_running(right) else None),
    ),
    Fault("POLL-4", "beyond_2_53", "NB", script=scripted(first_offset=2**53)),
    Fault("POLL-4", "beyond_2_63", "NBD", script=scripted(first_offset=2**63)),
    Fault("POLL-5", "from_ignored", "CPNBD", rewrite=_always_from_the_start),
    Fault("POLL-5", "two_events_repeated", "CPNBD", edit=_shifted(-2)),
    Fault("POLL-5", "one_event_lost", "CPNBD", edit=_shifted(1)),
    Fault("POLL-6", "cumulative_text", "CPNBD", script=scripted(events=_cumulative)),
    Fault("POLL-7", "queued_first", "CPNBD", edit=_status("queued")),
    Fault("POLL-7", "upper_case", "CPNBD", edit=_status("RUNNING", 1)),
    Fault("POLL-7", "null_first", "CPNBD", edit=_status(None)),
    Fault("POLL-7", "absent_first", "CPNBD", edit=without("status", _is_running)),
    Fault("POLL-8", "last_answer_is_a_page", "CPNBD", edit=data(_one_event_of_the_last)),
    Fault(
        "POLL-8",
        "text_after_the_end",
        "CPNBD",
        script=scripted(stages=((0, "running"), (3, "completed"), (99, "completed"))),
    ),
    Fault("POLL-9", "never_final", "CPNBD", script=scripted(stages=((0, "running"), (3, "running"), (99, "running")))),
    Fault("POLL-10", "null_when_empty", "PNBD", edit=empty_events(None)),
    Fault("POLL-10", "absent_when_empty", "PNBD", edit=without("events", _is_empty)),
    Fault("POLL-10", "object_when_empty", "NBD", edit=empty_events({})),
    Fault("POLL-10", "string_when_empty", "D", edit=empty_events("")),
    Fault("POLL-10", "number_when_empty", "PNBD", edit=empty_events(0)),
    Fault("POLL-10", "object_by_index", "CPNBD", edit=data(lambda right: {"events": dict(enumerate(right["events"]))})),
    Fault("POLL-11", "fresh_for_a_minute", "B", reshape=_cached(("Cache-Control", "max-age=60"))),
    Fault(
        "POLL-11",
        "private_and_varying",
        "B",
        reshape=_cached(("Cache-Control", "private, max-age=60"), ("Vary", "Authorization")),
    ),
    Fault("POLL-11", "only_last_modified", "B", reshape=_cached(("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT"))),
)


def _beside(*extra: Any) -> Script:
    """The usual events with those among the first of them, so that a client that stumbles loses text."""
    return scripted(events=lambda message: [*events(message)[:1], *extra, *events(message)[1:]])


def _content_on_top(message: str) -> list[Any]:
    return [
        {"type": "text_chunk", "content": event["data"]["content"]} if event["type"] == "text_chunk" else event
        for event in events(message)
    ]


def _pair_in_two_chunks(message: str) -> list[Any]:
    return [
        half
        for event in events(message)
        for half in (_halves(event["data"]["content"]) if event["type"] == "text_chunk" else [event])
    ]


def _halves(text: str) -> list[Any]:
    """The text in two chunks, cut within its first emoji if it has one, as UTF-16 code units can be."""
    start, emoji, end = text.partition("🙂")
    return [chunk(start + "\ud83d"), chunk("\ude42" + end)] if emoji else [chunk(text)]


_HARMLESS = (
    {"type": None},
    {"type": 7, "data": "anything"},
    {"type": "text_chunk_2", "data": {"content": None}, "__proto__": {"type": "text_chunk"}},
    {"type": "log", "data": "\u0000\u2028\r\n", "id": 3},
    {"type": "log", "data": "\ud83d"},
)

_EVENTS = (
    Fault("EVT-1", "null", "CPNBD", script=_beside(None)),
    Fault("EVT-1", "string", "CPD", script=_beside("note")),
    Fault("EVT-1", "array", "CPD", script=_beside([])),
    Fault("EVT-2", "no_type", "P", script=_beside({"data": {"tokens": 3}})),
    Fault("EVT-3", "no_data", "PNBD", script=_beside({"type": "text_chunk"})),
    Fault("EVT-3", "null_data", "CPNBD", script=_beside({"type": "text_chunk", "data": None})),
    Fault("EVT-3", "content_on_top", "CPNBD", script=scripted(events=_content_on_top)),
    Fault("EVT-4", "null", "CPNBD", script=_beside(chunk(None))),
    Fault("EVT-4", "number", "CPNBD", script=_beside(chunk(5))),
    Fault("EVT-4", "object", "CPNBD", script=_beside(chunk({"a": 1}))),
    Fault("EVT-5", "pair_in_two_chunks", "CPNBD", script=scripted(events=_pair_in_two_chunks)),
    Fault("EVT-6", "odd_events_that_nobody_prints", "", script=_beside(*_HARMLESS)),
)


def _of_two_tasks(message: str) -> list[Any]:
    """Every chunk followed by one of another task, as of one that runs in the same conversation."""
    return [
        each
        for event in events(message)
        for each in ([event, chunk("foreign")] if event["type"] == "text_chunk" else [event])
    ]


_OTHER_TASKS = (
    Fault("ISO-1", "one_foreign_chunk", "CPNBD", script=_beside(chunk("foreign"))),
    Fault("QUEUE-1", "mixed_with_the_first", "CPNBD", script=scripted(events=_of_two_tasks)),
    Fault(
        "QUEUE-1", "cut_by_the_second", "CPNBD", edit=data(lambda r: {"status": "cancelled"} if r["events"] else None)
    ),
)

FAULTS = (*_ENVELOPE, *_EVENTS, *_OTHER_TASKS)
