"""Request bodies that break the contract, derived from its schemas: each breaks exactly one constraint."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from sendpoll.conformance.server.inputs.fuzzing import texts
from sendpoll.schemas.contract import JSON, document

_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), texts(4))
_SMALL: Mapping[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "number": st.one_of(st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False)),
    "string": texts(8),
    "array": st.lists(_SCALARS, max_size=2),
    "object": st.dictionaries(texts(4), _SCALARS, max_size=2),
}
"""Small JSON values of each type."""
_DEEP = 100_000
"""Beyond what any parser that goes down by recursion bears: CPython's own gives up at 1,000 to 10,000, by version."""


@dataclass(frozen=True, slots=True)
class NegativeBody:
    """One constraint to break, and how."""

    pointer: str
    """Which member, as a JSON Pointer; empty for the whole body."""
    constraint: str
    values: st.SearchStrategy[Any]
    """Whole bodies that break it and nothing else."""


def negatives(name: str, valid: Mapping[str, Any]) -> Iterator[NegativeBody]:
    """Every way to break one constraint of a request schema, starting from a body that is accepted.

    `pattern`, `maxLength` and the like are what clients can rely on, not what a server must refuse to go beyond; so
    types, required members, emptiness and minima are derived, and no more.
    """
    schema = document(name)
    required = schema.get("required", ())
    yield from (NegativeBody("", f"type ({kind})", values) for kind, values in _of_other_types(schema))
    for key in required:
        without = {other: value for other, value in valid.items() if other != key}
        yield NegativeBody(f"/{key}", "required", st.just(without))
    for key, member in schema.get("properties", {}).items():
        for negative in _of_member(key, member, valid):
            if key in required or negative.constraint != "type (null)":  # null may stand for a member that is left out
                yield negative


def _of_member(key: str, member: JSON, valid: Mapping[str, Any]) -> Iterator[NegativeBody]:
    def placed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return values.map(lambda value: {**valid, key: value})

    if "type" in member:
        yield from (
            NegativeBody(f"/{key}", f"type ({kind})", placed(values)) for kind, values in _of_other_types(member)
        )
    if member.get("minLength"):
        yield NegativeBody(f"/{key}", "minLength", placed(st.just("")))
    if "minimum" in member:
        yield NegativeBody(f"/{key}", "minimum", placed(st.integers(max_value=member["minimum"] - 1)))


def _of_other_types(schema: JSON) -> Iterator[tuple[str, st.SearchStrategy[Any]]]:
    """Small values of every type but the schema's; a number of any kind counts as one where an integer is asked."""
    kept = "number" if schema["type"] == "integer" else schema["type"]
    return ((kind, values) for kind, values in _SMALL.items() if kind != kept)


@dataclass(frozen=True, slots=True)
class MalformedText:
    """A body that is no JSON text."""

    what: str
    """In a few words, what is wrong with it."""
    body: bytes


def malformed_texts(valid: Mapping[str, Any]) -> tuple[MalformedText, ...]:
    """Bodies that are no JSON text, made of one that is."""
    text = json.dumps(valid)
    return (
        MalformedText("an empty body", b""),
        MalformedText("a lone brace", b"{"),
        MalformedText("words that are no JSON", b"not json"),
        MalformedText("an object without its last brace", text[:-1].encode()),
        MalformedText("an object with a brace behind it", f"{text}}}".encode()),
        MalformedText("two objects", f"{text}{text}".encode()),
        MalformedText("an object in single quotes", text.replace('"', "'").encode()),
        MalformedText("an object with a comma behind its last member", text.replace("}", ",}").encode()),
        MalformedText("a string with a raw control character", text.encode().replace(b"}", b', "x": "\x01"}')),
        MalformedText(f"{_DEEP:,} opening brackets", b"[" * _DEEP),
    )


def not_utf8(valid: Mapping[str, Any]) -> bytes:
    """A body with bytes that are no UTF-8 in a member that nobody reads: it may be read or refused, and be survived."""
    return json.dumps(valid).encode().replace(b"}", b', "x": "\xff\xfe"}')


ODD_NAMES = (
    "two\nlines",
    "return\rand\r\nX-Sendpoll-Injected: 1",
    "nul\0inside",
    "a/b",
    "../up",
    "..",
    "%2e%2e%2fup",
    "que?ry#frag",
    'quo"te',
    "back\\slash",
    "space at end ",
    "工作区🎉",
    "half \ud83d",
    "\u202eright to left",
    "' OR '1'='1",
    "n" * 5000,
)
"""Strings that are no good names: a server may take or refuse each, and must not stumble over it."""
INJECTED = "x-sendpoll-injected"
"""The header that an answer has where a name of these came into its head as it is."""


def rewritten(valid: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """The same body in other JSON spellings: other order, white space, escapes. Every one is valid."""
    members = st.permutations(list(valid.items()))
    separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")])
    escapes = st.booleans()
    return st.tuples(members, separators, escapes).map(
        lambda drawn: json.dumps(dict(drawn[0]), separators=drawn[1], ensure_ascii=drawn[2]).encode()
    )
