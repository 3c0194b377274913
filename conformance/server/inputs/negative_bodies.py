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
    yield from (NegativeBody("", f"type ({kind})", values) for kind, values in _of_other_types(schema))
    for key in schema.get("required", ()):
        without = {other: value for other, value in valid.items() if other != key}
        yield NegativeBody(f"/{key}", "required", st.just(without))
    for key, member in schema.get("properties", {}).items():
        yield from _of_member(key, member, valid)


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


def malformed_texts(valid: Mapping[str, Any]) -> tuple[bytes, ...]:
    """Bodies that are no JSON text, made of one that is."""
    text = json.dumps(valid)
    return (
        b"",
        b"{",
        b"not json",
        text[:-1].encode(),
        f"{text}}}".encode(),
        f"{text}{text}".encode(),
        text.replace('"', "'").encode(),
        text.replace("}", ",}").encode(),
        text.encode().replace(b"}", b', "x": "\xff\xfe"}'),
        text.encode().replace(b"}", b', "x": "\x01"}'),
        b"[" * _DEEP,
    )


def rewritten(valid: Mapping[str, Any]) -> st.SearchStrategy[bytes]:
    """The same body in other JSON spellings: other order, white space, escapes. Every one is valid."""
    members = st.permutations(list(valid.items()))
    separators = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", "\t:  ")])
    escapes = st.booleans()
    return st.tuples(members, separators, escapes).map(
        lambda drawn: json.dumps(dict(drawn[0]), separators=drawn[1], ensure_ascii=drawn[2]).encode()
    )
