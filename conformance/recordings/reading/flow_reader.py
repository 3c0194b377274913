"""Reads the flow files of mitmproxy, by its own library: bodies and headers are there as they came, framing is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sendpoll.conformance.http.exchange import Failure, Response, Timing
from sendpoll.conformance.http.limits import SILENCE_LIMIT
from sendpoll.conformance.recordings.reading.left_out import LeftOut
from sendpoll.conformance.recordings.reading.recording_file import RecordingFile, TooLargeError
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.core.files.errors import FileError


def read_flows(file: RecordingFile, left_out: LeftOut) -> Iterator[RecordedExchange]:
    """The exchanges of a flow file in its order. Raises FileError where mitmproxy's library is not installed."""
    try:
        from mitmproxy.exceptions import FlowReadException  # noqa: PLC0415 - an extra, and slow to import
        from mitmproxy.http import HTTPFlow  # noqa: PLC0415 - of the same extra
        from mitmproxy.io import FlowReader  # noqa: PLC0415 - of the same extra
    except ImportError as error:
        raise FileError(
            f"{file.name} is of mitmproxy, whose library is not installed: pip install 'sendpoll[mitmproxy]' "
            f"(Python 3.12 or later), or export it as HAR and judge that: mitmdump -nr FILE --set hardump=FILE.har"
        ) from error
    number = 0
    flows = FlowReader(file.stream).stream()
    while True:
        try:
            flow = next(flows, None)
        except TooLargeError:
            left_out.end(f"flow {number + 1} is larger than any exchange is; what comes behind it was not read")
            return
        except (FlowReadException, ValueError, TypeError, KeyError, AttributeError) as error:
            left_out.end(f"it cannot be read behind flow {number} ({' '.join(str(error).split())[:120]})")
            return
        if flow is None:
            return
        number += 1
        file.next_exchange()
        if isinstance(flow, HTTPFlow):
            yield _exchange(flow, f"flow {number}")
        else:
            left_out.add("it is no flow of HTTP", f"flow {number}")


def _exchange(flow: Any, place: str) -> RecordedExchange:
    request, response = flow.request, flow.response
    started = float(request.timestamp_start or 0.0)
    sent = float(request.timestamp_end or started)
    finished = float((response and response.timestamp_end) or (flow.error and flow.error.timestamp) or sent)
    first = float(response.timestamp_start) if response and response.timestamp_start else None
    silence = max((first or finished) - sent, finished - (first or finished))
    lacks = {Facet.FRAMING}
    if finished - started >= SILENCE_LIMIT > (first or finished) - sent:
        lacks.add(Facet.PAUSES)
    if request.raw_content is None:
        lacks.add(Facet.REQUEST_BODY)
    if response is not None and response.raw_content is None:
        lacks.add(Facet.RESPONSE_BODY)
    said = flow.error.msg if flow.error else ""
    left = "client" in said.lower()
    failure = Failure.CLOSED if said and not left and "server" in said.lower() else None
    if response is None and failure is None and not left:
        lacks.add(Facet.OUTCOME)
    peer = flow.client_conn.peername
    return RecordedExchange(
        url=request.pretty_url.partition("#")[0],
        method=request.method.upper(),
        request_headers=_pairs(request.headers.fields),
        request_body=request.raw_content or None,
        response=None if response is None else _answer(response, whole=not said),
        timing=Timing(started, sent, first, max(started, finished), max(0.0, silence)),
        failure=failure,
        abandoned=left,
        detail=said[:200],
        connection=flow.client_conn.id,
        client=str(peer[0]) if peer else "",
        lacks=frozenset(lacks),
        place=place,
    )


def _answer(response: Any, *, whole: bool) -> Response:
    return Response(
        status=response.status_code,
        reason=response.reason or "",
        version=response.http_version.removeprefix("HTTP/"),
        headers=_pairs(response.headers.fields),
        body=response.raw_content or b"",
        complete=whole,
    )


def _pairs(fields: Any) -> tuple[tuple[str, str], ...]:
    pairs = ((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
    return tuple((name, value) for name, value in pairs if not name.startswith(":"))
