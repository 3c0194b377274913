"""Faults in framing, connections and time, and what HTTP leaves free: HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

from sendpoll.conformance.client.serving.behaviour import Deliver, Pieces, Reshape
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest
from tests.clients.fault import Fault
from tests.clients.faults.text import body


def lengths(*written: Callable[[bytes], object]) -> Reshape:
    """Those values of Content-Length, of the body each, in place of the right one."""

    def reshape(request: ReceivedRequest, right: Answer) -> Answer:
        del request
        told = tuple(("Content-Length", str(write(right.body))) for write in written)
        return replace(right, headers=(*right.headers, *told)) if right.body else right

    return reshape


def framed(*parts: bytes, size: int = 0) -> Reshape:
    """A chunked body: chunks of that size (the whole if 0), then those bytes in place of the last chunk."""

    def reshape(request: ReceivedRequest, right: Answer) -> Answer:
        del request
        if not right.body:
            return right
        step = size or len(right.body)
        pieces = [right.body[start : start + step] for start in range(0, len(right.body), step)]
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
        return right.with_body(chunks + b"".join(parts)).with_header("Transfer-Encoding", "chunked")

    return reshape


def then(end: str) -> Deliver:
    """The response, and then `close` or `hang`."""

    def deliver(request: ReceivedRequest, response: bytes) -> Pieces:
        del request
        yield response
        yield "close" if end == "close" else "hang"

    return deliver


def changed(change: Callable[[bytes], bytes], *, end: bool = False) -> Deliver:
    """Other bytes for every call's answer, preflights excepted; `end` closes the connection behind them."""

    def deliver(request: ReceivedRequest, response: bytes) -> Pieces:
        yield response if request.call == "preflight" else change(response)
        if end:
            yield "close"

    return deliver


def paused(call: str, seconds: float, after: int = 0) -> Deliver:
    """Silence in the answer to that call, `after` so many of its bytes."""

    def deliver(request: ReceivedRequest, response: bytes) -> Pieces:
        if request.call != call:
            yield response
            return
        if after:
            yield response[:after]
        yield seconds
        yield response[after:]

    return deliver


def _dripped(request: ReceivedRequest, response: bytes) -> Pieces:
    del request
    for start in range(0, len(response), 60):
        yield response[start : start + 60]
        yield 0.01


def _carried_out_and_closed(request: ReceivedRequest, response: bytes) -> Pieces:
    yield "close" if request.nth > 1 else response


def interim(line: bytes) -> Deliver:
    return changed(lambda response: b"HTTP/1.1 " + line + b"\r\n\r\n" + response)


def version(written: bytes) -> Deliver:
    return changed(lambda response: response.replace(b"HTTP/1.1", written, 1), end=True)


def _line_feeds(response: bytes) -> bytes:
    head, _, rest = response.partition(b"\r\n\r\n")
    return head.replace(b"\r\n", b"\n") + b"\n\n" + rest


def headers(count: int, size: int) -> Reshape:
    more = tuple((f"X-More-{number}", "x" * size) for number in range(count))
    return lambda _, right: replace(right, headers=(*right.headers, *more))


def _without_length(response: bytes) -> bytes:
    head, _, rest = response.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length")]
    return b"\r\n".join(kept) + b"\r\n\r\n" + rest


_FAULTS = (
    Fault("HTTP-1", "length_in_characters", "CPNBD", reshape=lengths(lambda right: len(right.decode()))),
    Fault("HTTP-1", "length_too_long", "PNBD", reshape=lengths(lambda right: len(right) + 9), deliver=then("close")),
    Fault("HTTP-2", "twice_the_same", "ND", reshape=lengths(len, len)),
    Fault(
        "HTTP-2",
        "twice_and_different",
        "PNBD",
        reshape=lengths(len, lambda right: len(right) + 9),
        deliver=then("close"),
    ),
    Fault("HTTP-2", "not_a_number", "CND", reshape=lengths(lambda _: "many"), deliver=then("close")),
    Fault(
        "HTTP-2",
        "beside_transfer_encoding",
        "N",
        reshape=lambda request, right: framed(b"0\r\n\r\n")(request, lengths(len)(request, right)),
    ),
    Fault("HTTP-3", "no_last_chunk", "CPNBD", reshape=framed(), deliver=then("hang")),
    Fault("HTTP-3", "no_last_chunk_and_closed", "PNBD", reshape=framed(), deliver=then("close")),
    Fault("HTTP-3", "trailers", "D", reshape=framed(b"0\r\nX-Sum: 1\r\n\r\n")),
    Fault("HTTP-4", "bare_line_feeds", "N", deliver=changed(_line_feeds)),
    Fault("HTTP-4", "version_2", "PND", deliver=version(b"HTTP/2")),
    Fault("HTTP-5", "early_hints", "PD", deliver=interim(b"103 Early Hints")),
    Fault("HTTP-5", "processing", "PD", deliver=interim(b"102 Processing")),
    Fault("HTTP-5", "continue", "N", deliver=interim(b"100 Continue")),
    Fault("HTTP-6", "more_than_100_lines", "P", reshape=headers(101, 1)),
    Fault("HTTP-6", "more_than_16_kib", "N", reshape=headers(5, 4096)),
    Fault("HTTP-7", "second_request_unread", "N", drops=lambda request: request.nth > 1),
    Fault("HTTP-7", "second_request_carried_out_and_closed", "NB", deliver=_carried_out_and_closed),
    Fault("HTTP-8", "idle_for_half_a_second", "N", drops=lambda request: request.nth > 1 and request.idle > 0.4),
    Fault("HTTP-9", "silent_on_messages", "P", deliver=paused("sendMessage", 3.0), client_timeout="1"),
    Fault("HTTP-9", "silent_on_polls", "P", deliver=paused("pollTask", 3.0), client_timeout="1"),
    Fault("HTTP-9", "silent_within_an_answer", "P", deliver=paused("sendMessage", 3.0, after=40), client_timeout="1"),
)

_LEAVE = (
    Fault("HTTP-10", "http_1_0", "", deliver=version(b"HTTP/1.0")),
    Fault("HTTP-10", "ended_by_closing", "", deliver=changed(_without_length, end=True)),
    Fault("HTTP-10", "chunks_within_characters", "", reshape=framed(b"0\r\n\r\n", size=5)),
    Fault("HTTP-10", "dripped", "", deliver=_dripped),
    Fault("HTTP-10", "closed_unannounced", "", deliver=then("close")),
    Fault("HTTP-10", "no_reason", "", deliver=changed(lambda response: response.replace(b" Told\r\n", b" \r\n", 1))),
    Fault(
        "HTTP-10", "partial_content", "", reshape=lambda _, right: replace(right, status=206) if right.body else right
    ),
    Fault("HTTP-10", "indented", "", reshape=body(lambda right: json.dumps(json.loads(right), indent=2).encode())),
    Fault("HTTP-10", "more_keys", "", edit=lambda _, right: {**right, "data_2": {}, "large": "x" * 1_000_000}),
)

FAULTS = (*_FAULTS, *_LEAVE)
