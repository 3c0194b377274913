"""Judges response bodies against the contract at a microsecond each.

jsonschema-rs says whether a body is right; only for one that is not does the slower judge of `schemas.contract` explain
which requirement it breaks. What no schema can see is judged on the raw text: strict JSON, its encoding, the integer
literal of `next_offset`, lone surrogates.

A body that brings no event is judged once and remembered by its bytes: between two events a server gives the same
answer over and over.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from json.scanner import make_scanner
from typing import Any, Final, NamedTuple, NoReturn

import jsonschema_rs

from sendpoll.core.oracle import RUNNING, chunk_text
from sendpoll.schemas.contract import document, findings, names

POLL: Final = "messages/poll-task.response.json"
CONVERSATION: Final = "messages/create-conversation.response.json"
TASK: Final = "messages/send-message.response.json"

_BASE: Final = "sendpoll:///"
_REMEMBERED_BODIES: Final = 4096
_REMEMBERED_BYTES: Final = 512

Finding = tuple[str, str]
"""A requirement, and the sentence that says how it was broken."""


class PollBody(NamedTuple):
    """What a poll's body says, and what is wrong with it. A tuple, since one is made for every poll."""

    status: str
    events: Sequence[Any]
    next_offset: int
    findings: tuple[Finding, ...] = ()
    readable: bool = True
    """Whether a client can go on from here; where not, the other fields mean nothing."""

    @property
    def is_final(self) -> bool:
        """Whether every client stops here."""
        return self.status != RUNNING


class Refused(Exception):  # noqa: N818 - a verdict, not a fault of this program
    """A body that no client can use. `findings` says which requirements it breaks."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(sentence for _, sentence in findings))
        self.findings = findings


class ResponseJudge:
    """Reads and judges bodies; one for all users of a process."""

    def __init__(self) -> None:
        for schema in (CONVERSATION, TASK):
            compiled(schema)  # now, and not while the first users wait
        self._fits_poll = compiled(POLL).is_valid
        self._known: dict[bytes, PollBody] = {}

    def poll(self, body: bytes) -> PollBody:
        """What the body of a poll says, and what is wrong with it."""
        known = self._known.get(body)
        if known is not None:
            return known
        judged = self._judge_poll(body)
        if not judged.events and len(body) <= _REMEMBERED_BYTES:
            if len(self._known) >= _REMEMBERED_BODIES:
                self._known.clear()
            self._known[body] = judged
        return judged

    def _judge_poll(self, body: bytes) -> PollBody:
        try:
            value = parse_strictly(body)
        except Refused as refused:
            return PollBody("", (), 0, refused.findings, readable=False)
        if not self._fits_poll(value):
            return _explained(value)
        data = value["data"]
        offset = data["next_offset"]
        broken: tuple[Finding, ...] = ()
        if type(offset) is not int:
            return PollBody("", (), 0, (("POLL-3", f"next_offset is {offset!r}, no integer literal"),), readable=False)
        events = data["events"]
        if events and b"\\u" in body:
            broken = tuple(_lone_surrogates(events))
        return PollBody(data["status"], events, offset, broken)

    @staticmethod
    def identifier(body: bytes, schema: str, key: str) -> tuple[str, tuple[Finding, ...]]:
        """The id under `key` in the answer to a POST, and what is wrong with it. Raises Refused where there is none."""
        value = parse_strictly(body)
        broken: tuple[Finding, ...] = ()
        if not compiled(schema).is_valid(value):
            broken = tuple((finding.requirement, finding.sentence) for finding in findings(schema, value))
        identifier = value.get(key) if isinstance(value, dict) else None
        if not isinstance(identifier, str) or not identifier:
            raise Refused(broken)
        return identifier, broken


@functools.cache
def compiled(name: str) -> jsonschema_rs.Draft202012Validator:
    """The fast judge for a document of the contract."""
    resources = [(f"{_BASE}{message}", document(message)) for message in names("messages")]
    registry = jsonschema_rs.Registry(resources)
    return jsonschema_rs.Draft202012Validator({"$ref": f"{_BASE}{name}"}, registry=registry)


def parse_strictly(body: bytes) -> Any:
    """The JSON value of a body. Raises Refused where it is not one strict JSON text in UTF-8."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise Refused((("ENC-1", f"the body is no UTF-8: {error.reason} at byte {error.start}"),)) from error
    try:
        value, end = _SCAN(text, 0)
        if end == len(text):
            return value
    except (StopIteration, ValueError, RecursionError):
        pass  # the decoder's own way is three times as slow, skips white space, and says what is wrong
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        shown = json.dumps(text[:40], ensure_ascii=True)
        raise Refused((("JSON-1", f"the body is no JSON text: {error.msg} at {error.pos}: {shown}"),)) from error
    except (RecursionError, ValueError) as error:
        if isinstance(error, _NotJsonError):
            raise Refused((("JSON-2", f"the body holds {error}, which is no JSON"),)) from error
        raise Refused((("JSON-3", "the body nests too deeply or holds too long a number"),)) from error


class _NotJsonError(ValueError):
    pass


def _refuse_constant(name: str) -> NoReturn:
    raise _NotJsonError(name)


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_SCAN: Final[Callable[[str, int], tuple[Any, int]]] = make_scanner(_DECODER)  # type: ignore[arg-type]  # any decoder will do


def _explained(value: Any) -> PollBody:
    """A body that breaks the schema, as far as a client can still read it."""
    broken = tuple((finding.requirement, finding.sentence) for finding in findings(POLL, value))
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, dict):
        status, events, offset = data.get("status"), data.get("events"), data.get("next_offset")
        if isinstance(status, str) and isinstance(events, list) and type(offset) is int:
            return PollBody(status, events, offset, broken)
    return PollBody("", (), 0, broken, readable=False)


def _lone_surrogates(events: Sequence[Any]) -> list[Finding]:
    for event in events:
        text = chunk_text(event)
        if text and any("\ud800" <= character <= "\udfff" for character in text):
            return [("EVT-5", f"a content holds half a surrogate pair: {json.dumps(text[:40])}")]
    return []
