"""Reads a report of ours as a recording: the exchanges that it shows, and the polls of its tasks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sendpoll.conformance.http.exchange import Failure, Response, Timing
from sendpoll.conformance.http.limits import SILENCE_LIMIT
from sendpoll.conformance.recordings.exchange_json import moment
from sendpoll.conformance.recordings.reading.recording_file import RecordingFile
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.conformance.results.report_json import ExchangeTold, Report, ResponseTold
from sendpoll.core.files.errors import FileError
from sendpoll.core.files.json_file import parse_json
from sendpoll.core.files.load import JSON_BYTES
from sendpoll.core.files.schema import require
from sendpoll.core.files.source import decoded
from sendpoll.core.oracle import Poll
from sendpoll.schemas.catalogue import Subject

_LACKS = frozenset({Facet.FRAMING, Facet.RAW_HEADERS, Facet.BODY_BYTES})


@dataclass(frozen=True, slots=True)
class ReportedTraffic:
    """What a report holds of traffic."""

    base_url: str
    exchanges: tuple[RecordedExchange, ...]
    """In the order of their answers, each once."""
    polls: tuple[tuple[str, Poll], ...]
    """The id of a task and a poll of it, whose events are known by their number alone."""


def read_own_report(file: RecordingFile) -> ReportedTraffic:
    """The traffic in a report of `check`, of `judge` or of the proxy. Raises FileError."""
    raw = file.stream.read(JSON_BYTES + 1)
    if len(raw) > JSON_BYTES:
        raise FileError(f"{file.name} is longer than any report.json of ours; is it the right one?")
    parsed = parse_json(decoded(raw, file.name), file.name)
    require(parsed, "files/report.json", file.name)
    report: Report = parsed.value
    if report["subject"] == Subject.CLIENT:
        raise FileError(f"{file.name} is about a client, whose servers were ours; judge it with sendpoll client")
    base, began = report["target"]["url"], moment(report["started_at"])
    shown = {
        one["number"]: one
        for row in report["requirements"]
        for violation in row["violations"]
        for one in violation["exchanges"]
    }
    by_suite = report["subject"] == Subject.SERVER
    exchanges = [_exchange(one, base, began, by_suite=by_suite) for one in shown.values()]
    polls = sorted(_polls(report, began), key=lambda pair: pair[1].received_at)
    return ReportedTraffic(base, tuple(sorted(exchanges, key=lambda one: one.timing.finished)), tuple(polls))


def _polls(report: Report, began: float) -> Iterator[tuple[str, Poll]]:
    for task in report.get("tasks", ()):
        for poll in task["polls"]:
            sent = began + poll["at_s"]
            events = [None] * min(poll["events"], 100_000)
            offset = None if poll["next_offset"] < 0 else poll["next_offset"]
            told = Poll(poll["asked"], sent, sent + poll["took_s"], poll["status"], events, offset, poll["reader"])
            yield task["task_id"], told


def _exchange(told: ExchangeTold, base: str, began: float, *, by_suite: bool) -> RecordedExchange:
    request, response = told["request"], told["response"]
    started = began + told["at_s"]
    lacks = set(_LACKS)
    if told["took_s"] >= SILENCE_LIMIT:
        lacks.add(Facet.PAUSES)
    if response is not None and response["body_bytes"] > len(response["body"].encode("utf-8", "surrogatepass")):
        lacks.add(Facet.RESPONSE_BODY)
    failure = next((kind for kind in Failure if told["failure"].startswith(kind)), None)
    if response is None and failure is None:
        lacks.add(Facet.OUTCOME)
    body = request["body"]
    return RecordedExchange(
        url=f"{base}{request['target']}",
        method=request["method"],
        request_headers=tuple((name, value) for name, value in request["headers"]),
        request_body=None if body is None else body.encode("utf-8", "surrogatepass"),
        response=None if response is None else _answer(response, whole=failure is None),
        decoded=True,
        timing=Timing(started, started, None, started + told["took_s"], min(told["took_s"], SILENCE_LIMIT - 1)),
        failure=failure,
        detail=told["failure"][:200],
        lacks=frozenset(lacks),
        by_suite=by_suite,
        place=f"#{told['number']}",
    )


def _answer(response: ResponseTold, *, whole: bool) -> Response:
    return Response(
        status=response["status"],
        reason=response["reason"],
        version="1.1",
        headers=tuple((name, value) for name, value in response["headers"]),
        body=response["body"].encode("utf-8", "surrogatepass"),
        complete=whole,
    )
