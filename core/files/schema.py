"""Whether what a file holds is what its schema says, and in words what is not."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import jsonschema_rs

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.parsed import Parsed
from sendpoll.schemas.contract import JSON, document

_KINDS = {
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a text",
    type(None): "empty",
    list: "a list",
    dict: "a mapping",
}
_SMALL = 5_000
"""Values of a file all of whose faults are looked at."""
_WANTED = {
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "string": "a text",
    "null": "nothing",
    "array": "a list",
    "object": "a mapping",
}


def require(parsed: Parsed, schema: str, source: str, *, secret: bool = False) -> None:
    """Hold a value to a document of the contract, such as `files/target.json`.

    `secret` keeps values out of what is told. Raises FileError with the file, the place and the mend.
    """
    try:
        broken = _fault(_validator(schema), parsed.value)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and Rust cannot
        parsed = replace(parsed, value=_encodable(parsed.value))
        broken = _fault(_validator(schema), parsed.value)
    if broken is not None:
        place = [part if isinstance(part, int) else str(part) for part in broken.instance_path]
        raise FileError(f"{source}: {parsed.where(place)}: {_sentence(schema, broken, parsed, secret=secret)}")


@functools.cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(document(schema), retriever=_neighbour)


def _neighbour(reference: str) -> JSON:
    """The document that another one of its folder refers to."""
    return document(f"files/{reference.rpartition('/')[2]}")


def _fault(validator: jsonschema_rs.Draft202012Validator, value: Any) -> jsonschema_rs.ValidationError | None:
    """The fault to tell; of a large value the first that is found, since each holds a copy of the value about it."""
    if validator.is_valid(value):
        return None
    if _is_small(value):
        return min(validator.iter_errors(value), key=_outermost)
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as first:
        return first
    return None


def _is_small(value: Any) -> bool:
    waiting, seen = [value], 0
    while waiting and seen <= _SMALL:
        one = waiting.pop()
        members = one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        seen += len(members)
        waiting.extend(members)
    return seen <= _SMALL


def _outermost(error: jsonschema_rs.ValidationError) -> tuple[int, bool]:
    """The outermost fault is told, since inner ones often follow from it; a mistaken name before a missing one."""
    return len(error.instance_path), error.evaluation_path[-1] != "additionalProperties"


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(member) for key, member in value.items()}
    return [_encodable(member) for member in value] if isinstance(value, list) else value


def _sentence(name: str, broken: jsonschema_rs.ValidationError, parsed: Parsed, *, secret: bool) -> str:
    *above, keyword = broken.evaluation_path
    schema = _at(name, above)
    value, wanted = _value(parsed.value, broken.instance_path), schema[str(keyword)]
    if keyword == "required":
        return f"{next(name for name in schema['required'] if name not in value)!r} is missing; add it"
    if keyword == "additionalProperties":
        return _unknown(value, schema)
    described = schema.get("description")
    if keyword == "type":
        kinds: list[str] = [wanted] if isinstance(wanted, str) else wanted
        if "string" in kinds and tuple(broken.instance_path) in parsed.unquoted:
            return f"is {_KINDS[type(value)]} to YAML where a text belongs; quote it"
        return f"is {_KINDS[type(value)]}; expected {' or '.join(_WANTED[kind] for kind in kinds)}"
    shown = "what stands here" if secret else _shown(value)
    if keyword == "enum" and isinstance(wanted, list):
        return f"{shown} is none of {', '.join(map(str, wanted))}"
    return f"{shown} does not fit; expected {described or f'{keyword} {json.dumps(wanted)}'}"


def _at(name: str, path: Sequence[str | int]) -> Mapping[str, Any]:
    """The schema to which a path through a document leads, references followed."""
    inside: Any = document(name)
    node = inside
    for part in path:
        node = node[part]
        if part == "$ref":
            file, _, pointer = str(node).partition("#")
            inside = _neighbour(file) if file else inside
            node = inside
            for step in filter(None, pointer.split("/")):
                node = node[step]
    schema: Mapping[str, Any] = node
    return schema


def _value(value: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        value = value[part]
    return value


def _unknown(value: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    known = list(schema.get("properties", {}))
    extra = next(name for name in value if name not in known)
    near = difflib.get_close_matches(extra, known, n=1)
    return f"{extra[:60]!r} is not known here; " + (f"is it {near[0]!r}?" if near else f"known are {', '.join(known)}")


def _shown(value: Any) -> str:
    shown = json.dumps(value, default=str)
    return f"{shown[:57]}..." if len(shown) > 60 else shown
