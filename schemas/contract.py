"""The JSON Schema documents of the contract, and validators over them.

`messages/` holds one schema a message of the API, `files/` one a file that the toolkit reads or writes. Every
constraint on a response carries `x-requirement`, the id of the catalogue row that it stands for, so a schema error
is a verdict on that row and nothing else.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
import jsonschema_rs
import referencing
from referencing.jsonschema import DRAFT202012

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a response does which its schema forbids."""

    requirement: str
    path: str
    """JSON Pointer of the offending value in the response; empty for the whole."""
    sentence: str


def folder() -> importlib.resources.abc.Traversable:
    """The folder that holds the contract's files, wherever the package is installed."""
    return importlib.resources.files("sendpoll.schemas")


@functools.cache
def document(name: str) -> JSON:
    """The schema document of that name, such as `messages/event.json`.

    Raises FileNotFoundError for a name that the contract does not have.
    """
    parsed: JSON = json.loads(folder().joinpath(*name.split("/")).read_text(encoding="utf-8"))
    return parsed


def names(kind: str) -> tuple[str, ...]:
    """The names of all documents of a kind (`messages` or `files`), sorted."""
    entries = folder().joinpath(kind).iterdir()
    return tuple(sorted(f"{kind}/{entry.name}" for entry in entries if entry.name.endswith(".json")))


@functools.cache
def registry() -> referencing.Registry[bool | Mapping[str, Any]]:
    """All documents by name, so that a relative `$ref` from one finds the other."""
    resources = [
        (name, referencing.Resource.from_contents(document(name), default_specification=DRAFT202012))
        for kind in ("messages", "files")
        for name in names(kind)
    ]
    empty: referencing.Registry[bool | Mapping[str, Any]] = referencing.Registry()
    return empty.with_resources(resources)


@functools.cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    """The judge for a document: exact and able to explain, at about 150 microseconds a response."""
    return jsonschema.Draft202012Validator({"$ref": name}, registry=registry())


@functools.cache
def _fast_validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.Draft202012Validator(_inlined(document(name), name.rpartition("/")[0]))


def _inlined(node: Any, kind: str) -> Any:
    """The schema with the documents that it refers to in place of the references; the contract has no cycles."""
    if isinstance(node, list):
        return [_inlined(item, kind) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _inlined(document(f"{kind}/{node['$ref']}"), kind)
    return {key: _inlined(value, kind) for key, value in node.items()}


def satisfies(name: str, value: object) -> bool:
    """Whether a value follows a document, at about a microsecond; `findings` explains where it does not."""
    try:
        return _fast_validator(name).is_valid(value)
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold and Rust cannot
        return validator(name).is_valid(value)


def findings(name: str, value: object) -> Iterator[Finding]:
    """What `value` does that the response schema `name` forbids, each under its catalogue row."""
    for error in validator(name).iter_errors(value):
        yield Finding(
            requirement=error.schema["x-requirement"],
            path="".join(f"/{part}" for part in error.absolute_path),
            sentence=_sentence(error),
        )


def _sentence(error: jsonschema.ValidationError) -> str:
    shown = json.dumps(error.instance, ensure_ascii=True, default=repr)
    if len(shown) > 120:
        shown = f"{shown[:117]}..."
    if error.validator == "required":
        return f"{error.message} of {shown}"
    if error.validator == "type":
        return f"{shown} is not of type {error.validator_value}"
    return f"{shown} breaks {error.validator} {json.dumps(error.validator_value, ensure_ascii=True)}"
