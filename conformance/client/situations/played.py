"""A situation as the behaviour of a server."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import MappingProxyType
from typing import Any

import brotli
import zstandard

from sendpoll.conformance.client.serving.behaviour import Behaviour, Pieces
from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest, error
from sendpoll.conformance.client.serving.right_api import Script
from sendpoll.conformance.client.situations.situation import InjectedFault, Situation

REFUSAL = "the request was refused under rule 7Q"
"""What an answer says that a situation puts in place of the right one; no step is named in it."""
_DRIP_SECONDS = 1.0
_CODINGS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "br": brotli.compress,
        "zstd": zstandard.ZstdCompressor().compress,
        "gzip": gzip.compress,
        "deflate": zlib.compress,
    }
)
"""Content codings, in the order in which one is chosen of those that a client offers."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run decides about all of its situations."""

    token: str
    patience: float
    """Seconds that a long silence lasts, and that a client may wait for what will not come."""


def behaviour_of(situation: Situation, settings: Settings, elsewhere: str) -> Behaviour:
    """How a server behaves in it; `elsewhere` is the URL of the server that redirects lead to."""
    stage = _Stage(situation, elsewhere)
    silence = situation.silent_stage
    return Behaviour(
        script=Script(
            events=stage.events,
            stages=situation.stages,
            conversation_id=situation.conversation_id,
            task_id=situation.task_id,
            offsets=situation.offsets,
            first_offset=situation.first_offset,
            holds=None if silence is None else (silence, settings.patience),
            known_workspace=not situation.workspace_is_new,
        ),
        refuse=stage.refuse,
        edit=stage.edit,
        reshape=stage.reshape,
        deliver=stage.deliver,
        outage=max((fault.do.get("seconds", 0.0) for fault in situation.faults), default=0.0),
        host=situation.host,
    )


def met(memory: Mapping[str, Any]) -> set[int]:
    """The places of the faults that happened, from what the server's memory holds of them."""
    found: set[int] = memory.get("met", set())
    return found


class _Stage:
    """The hooks of one server. What they must remember stands in the server's memory."""

    def __init__(self, situation: Situation, elsewhere: str) -> None:
        self._situation = situation
        self._elsewhere = elsewhere

    def events(self, message: str) -> list[Any]:
        players = self._situation.players
        return list(next((one.events for one in players if one.message == message), players[0].events))

    def refuse(self, request: ReceivedRequest) -> Answer | None:
        """Count the call, note which fault happens to it, and answer in its place if the fault does."""
        counts = request.memory.setdefault("counts", {})
        counts[request.call] = counts.get(request.call, 0) + 1
        faults = self._situation.faults
        hits = [at for at, fault in enumerate(faults) if fault.hits(request.call, counts[request.call])]
        request.memory.setdefault("met", set()).update(hits)
        request.memory[_key(request)] = [faults[at] for at in hits]
        fault = next((faults[at] for at in hits if "status" in faults[at].do), None)
        return None if fault is None else self._instead(request, fault)

    def _instead(self, request: ReceivedRequest, fault: InjectedFault) -> Answer:
        do = fault.do
        given = error(do["status"], do.get("says", REFUSAL))
        if "media_type" in do:
            given = given.with_header("Content-Type", do["media_type"]).with_body(do.get("says", REFUSAL).encode())
        for name, value in do.get("headers", {}).items():
            given = given.with_header(name, value)
        if "retry_after" in do:
            given = given.with_header("Retry-After", _retry_after(do))
        if do.get("redirect"):
            given = given.with_header("Location", self._elsewhere + request.target)
        return given

    def edit(self, request: ReceivedRequest, document: Any) -> Any:
        if request.call != "pollTask" or not self._situation.keys:
            return document
        return {**document, "data": {**document["data"], **self._situation.keys}}

    def reshape(self, request: ReceivedRequest, right: Answer) -> Answer:
        if self._situation.escapes and right.body:
            right = right.with_body(json.dumps(json.loads(right.body)).encode("ascii"))
        for fault in _faults(request):
            if fault.do.get("coded"):
                right = _coded(request, right)
            if fault.do.get("frame") == "chunks" and request.version != "1.0":
                right = _chunked(right, fault.do.get("pieces", 1024))
        return right

    def deliver(self, request: ReceivedRequest, response: bytes) -> Pieces:
        if request.call == "preflight":
            # A browser sends what breaks on a connection that it had before again by itself, messages too: no page can
            # help that, so each message comes over a connection of its own.
            yield _until_close(response, http_1_0=False)
            yield "end"
            return
        faults = _faults(request)
        for fault in faults:
            if fault.do.get("frame") in {"close", "http_1_0"}:
                response = _until_close(response, http_1_0=fault.do["frame"] == "http_1_0")
        cutting = (fault.do for fault in faults if "pieces" in fault.do and fault.do.get("frame") != "chunks")
        size = next((do["pieces"] for do in cutting), len(response)) or 1
        end = next((fault for fault in faults if "end" in fault.do), None)
        if end is not None:
            response = response[: int(len(response) * end.do["cut"])] if "cut" in end.do else b""
        pieces = [response[at : at + size] for at in range(0, len(response), size)]
        for piece in pieces:
            yield piece
            if len(pieces) > 1:
                yield 0.002
        if end is not None:
            yield from _ending(end.do["end"])
        elif any("then" in fault.do or fault.do.get("frame") in {"close", "http_1_0"} for fault in faults):
            yield "end"


def _key(request: ReceivedRequest) -> str:
    return f"{request.connection}.{request.nth}"


def _faults(request: ReceivedRequest) -> list[InjectedFault]:
    found: list[InjectedFault] = request.memory.get(_key(request), [])
    return found


def _retry_after(do: Mapping[str, Any]) -> str:
    if not do.get("as_date"):
        return str(do["retry_after"])
    # A date has whole seconds: the next one behind what is asked for, so that whoever waits for it waits long enough.
    moment = datetime.now(UTC) + timedelta(seconds=do["retry_after"] + 1)
    return format_datetime(moment.replace(microsecond=0), usegmt=True)


def _coded(request: ReceivedRequest, right: Answer) -> Answer:
    name = next((coding for coding in _CODINGS if request.offers(coding)), None)
    if name is None or not right.body:
        return right
    request.memory["coded"] = name
    return right.with_body(_CODINGS[name](right.body)).with_header("Content-Encoding", name)


def _chunked(right: Answer, size: int) -> Answer:
    pieces = [right.body[at : at + size] for at in range(0, len(right.body), size)]
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    return right.with_body(body).with_header("Transfer-Encoding", "chunked")


def _until_close(response: bytes, *, http_1_0: bool) -> bytes:
    head, _, rest = response.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"content-length:")]
    if http_1_0:
        lines[0] = lines[0].replace(b"HTTP/1.1", b"HTTP/1.0", 1)
    else:
        lines.append(b"Connection: close")
    return b"\r\n".join(lines) + b"\r\n\r\n" + rest


def _ending(end: str) -> Pieces:
    if end == "drip":
        yield b"HTTP/1.1 200 Told\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        while True:
            yield b"1\r\n \r\n"
            yield _DRIP_SECONDS
    elif end == "close":
        yield "close"
    elif end == "reset":
        yield "reset"
    elif end == "outage":
        yield "outage"
    else:
        yield "hang"
