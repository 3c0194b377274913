"""One judge of values against the documents of the contract, for whoever checks, loads or replays.

`checker` says whether a value follows a document, at about a microsecond; `findings` explains where it does not, at a
hundred times the cost. Both say the same of every value that JSON can hold.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import jsonschema
import jsonschema_rs

from sendpoll.schemas.contract import document, registry

_AT_ONCE: Final = 100
"""Events that are explained together, since to explain takes a hundred times as long as to judge."""
_EXPLAINED: Final = 10
"""Groups of events of which the faults are told; the same in more of them says no more."""
_EVENT_PATH: Final = re.compile(r"/data/events/([0-9]+)(.*)", re.DOTALL)
_LEVELS: Final = 12
"""Levels of a value that are explained: twice as many as any document looks at, and few enough to be written."""
_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a response does which its schema forbids."""

    requirement: str
    path: str
    """JSON Pointer of the offending value in the response; empty for the whole."""
    sentence: str


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """The exact judge for a document, such as `messages/event.json`; able to explain, and slow."""
    return jsonschema.Draft202012Validator({"$ref": name}, registry=registry())


@functools.cache
def checker(name: str) -> Callable[[object], bool]:
    """Whether values follow a document, as a function to be called over and over."""
    fast, exact = jsonschema_rs.Draft202012Validator(_inlined(document(name), name.rpartition("/")[0])), validator(name)

    def fits(value: object) -> bool:
        try:
            return fast.is_valid(value)
        except (ValueError, OverflowError, RecursionError):  # such as half a surrogate pair, which Rust cannot hold
            return exact.is_valid(value)

    return fits


def _inlined(node: Any, kind: str) -> Any:
    """The schema with the documents that it refers to in place of the references; the contract has no cycles."""
    if isinstance(node, list):
        return [_inlined(item, kind) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(document(f"{kind}/{node['$ref']}"), kind)
    return {key: _inlined(value, kind) for key, value in node.items()}


def findings(name: str, value: object) -> Iterator[Finding]:
    """What `value` does that the response schema `name` forbids, each under its catalogue row.

    Of a poll with very many events, it is what the first faulty ones do.
    """
    whole: dict[str, Any] = value if isinstance(value, dict) else {}
    data = whole.get("data")
    events = data.get("events") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(events, list) or len(events) <= _AT_ONCE:
        yield from _explained(name, value)
        return
    groups = (
        (at, {**whole, "data": {**data, "events": events[at : at + _AT_ONCE]}})
        for at in range(0, len(events), _AT_ONCE)
    )
    faulty = ((at, group) for at, group in groups if not checker(name)(group))
    for at, group in itertools.islice(faulty, _EXPLAINED):
        for found in _explained(name, group):
            place = _EVENT_PATH.fullmatch(found.path)
            yield dataclasses.replace(found, path=f"/data/events/{at + int(place[1])}{place[2]}") if place else found


def _explained(name: str, value: object) -> Iterator[Finding]:
    for error in validator(name).iter_errors(_shallow(value, _LEVELS)):
        yield Finding(
            requirement=error.schema["x-requirement"],
            path="".join(f"/{part}" for part in error.absolute_path),
            sentence=_sentence(error),
        )


def _shallow(value: Any, levels: int) -> Any:
    """The value without what lies too deep for any document, and for a message that repeats it."""
    if isinstance(value, dict):
        return {key: _shallow(inner, levels - 1) for key, inner in value.items()} if levels else {}
    if isinstance(value, list):
        return [_shallow(inner, levels - 1) for inner in value] if levels else []
    return value


def _sentence(error: jsonschema.ValidationError) -> str:
    shown = json.dumps(error.instance, ensure_ascii=True, default=repr)
    if len(shown) > _SHOWN:
        shown = f"{shown[: _SHOWN - 3]}..."
    if error.validator == "required":
        return f"{error.message} of {shown}"
    if error.validator == "type":
        return f"{shown} is not of type {error.validator_value}"
    return f"{shown} breaks {error.validator} {json.dumps(error.validator_value, ensure_ascii=True)}"
