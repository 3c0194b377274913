"""Judges response bodies against the contract at a microsecond each.

What no schema can see is judged on the raw text: strict JSON, its encoding, the integer literal of `next_offset`, lone
surrogates. Reader and validator are those of `sendpoll.core`, so a body breaks here what it breaks in a check.

A body that brings no event is judged once and remembered by its bytes: between two events a server gives the same
answer over and over.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sendpoll.core.http.content import Content, FaultyContentError, strict_value
from sendpoll.core.json_text import MISSING, has_lone_surrogate, plain_value
from sendpoll.core.oracle import RUNNING, chunk_text
from sendpoll.core.validation import checker, findings

POLL: Final = "messages/poll-task.response.json"
CONVERSATION: Final = "messages/create-conversation.response.json"
TASK: Final = "messages/send-message.response.json"
WORKSPACE: Final = "messages/create-workspace.response.json"

ENVELOPES: Final = {WORKSPACE: "WS-1", CONVERSATION: "CONV-1", TASK: "MSG-1", POLL: "POLL-1"}
"""The row that a body breaks which is no JSON at all."""
_NOT_A_FAULT: Final = frozenset({"JSON-4"})
"""Every client takes the last of two equal keys, and to look for them would cost more than to read all the rest."""
_REMEMBERED_BODIES: Final = 4096
_REMEMBERED_BYTES: Final = 512

Breach = tuple[str, str]
"""A requirement, and the sentence that says how it was broken."""


class PollBody(NamedTuple):
    """What a poll's body says, and what is wrong with it. A tuple, since one is made for every poll."""

    status: str
    events: Sequence[Any]
    next_offset: int
    findings: tuple[Breach, ...] = ()
    readable: bool = True
    """Whether a client can go on from here; where not, the other fields mean nothing."""

    @property
    def is_final(self) -> bool:
        """Whether every client stops here."""
        return self.status != RUNNING


class UnusableBodyError(Exception):
    """A body that no client can use. `findings` says which requirements it breaks."""

    def __init__(self, findings: tuple[Breach, ...]) -> None:
        super().__init__("; ".join(sentence for _, sentence in findings))
        self.findings = findings


class ResponseJudge:
    """Reads and judges bodies; one for all users of a process."""

    def __init__(self) -> None:
        for schema in (CONVERSATION, TASK):
            checker(schema)  # compiled now, and not while the first users wait
        self._fits_poll = checker(POLL)
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
        value = plain_value(body)
        if value is MISSING:
            try:
                value = read_strictly(body, POLL)
            except UnusableBodyError as refused:
                return PollBody("", (), 0, refused.findings, readable=False)
        if not self._fits_poll(value):
            return _explained(value)
        data = value["data"]
        offset = data["next_offset"]
        broken: tuple[Breach, ...] = ()
        if type(offset) is not int:
            return PollBody("", (), 0, (_no_literal(offset),), readable=False)
        events = data["events"]
        if events and b"\\u" in body:
            broken = tuple(_lone_surrogates(events))
        return PollBody(data["status"], events, offset, broken)

    @staticmethod
    def identifier(body: bytes, schema: str, key: str) -> tuple[str, tuple[Breach, ...]]:
        """The id under `key` in the answer to a POST, and what is wrong with it.

        Raises UnusableBodyError where there is none.
        """
        value = read_strictly(body, schema)
        broken: tuple[Breach, ...] = ()
        if not checker(schema)(value):
            broken = _broken(schema, value)
        identifier = value.get(key) if isinstance(value, dict) else None
        if not isinstance(identifier, str) or not identifier:
            raise UnusableBodyError(broken)
        return identifier, broken


def read_strictly(body: bytes, schema: str) -> Any:
    """The JSON value of an answer to the call whose answers follow `schema`.

    Raises UnusableBodyError where it is not one strict JSON text in UTF-8.
    """
    try:
        return strict_value(body)
    except FaultyContentError as error:
        raise UnusableBodyError(tuple(_refusals(error.content, ENVELOPES[schema]))) from error


def _refusals(content: Content, envelope: str) -> list[Breach]:
    """What a body breaks that is not strict JSON, as the rules of a check tell it."""
    if content.empty:
        return [(envelope, "the answer has no body")]
    if content.flood:
        return [(envelope, content.flood)]
    if content.is_json_like:
        return [(row, told) for row, told in content.faults.items() if row not in _NOT_A_FAULT]
    encoding = [(row, told) for row, told in content.faults.items() if row == "ENC-1"]
    return [*encoding, (envelope, f"the body is no JSON: {json.dumps(content.text[:40])}")]


def _broken(schema: str, value: Any) -> tuple[Breach, ...]:
    return tuple((found.requirement, found.sentence) for found in findings(schema, value))


def _explained(value: Any) -> PollBody:
    """A body that breaks the schema, as far as a client can still read it."""
    broken = _broken(POLL, value)
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, dict):
        status, events, offset = data.get("status"), data.get("events"), data.get("next_offset")
        if isinstance(offset, float):  # its size is judged once it is an integer
            broken = (_no_literal(offset), *(found for found in broken if found[0] not in {"POLL-3", "POLL-4"}))
        if isinstance(status, str) and isinstance(events, list) and type(offset) is int:
            return PollBody(status, events, offset, broken)
    return PollBody("", (), 0, broken, readable=False)


def _no_literal(offset: float) -> Breach:
    return "POLL-3", f"next_offset is {offset!r}, no integer literal"


def _lone_surrogates(events: Sequence[Any]) -> list[Breach]:
    for event in events:
        text = chunk_text(event)
        if text and has_lone_surrogate(text):
            return [("EVT-5", f"a content holds half a surrogate pair: {json.dumps(text[:40])}")]
    return []
