"""The JSON Schema documents of the contract.

`messages/` holds one schema a message of the API, `files/` one a file that the toolkit reads or writes. Every
constraint on a response carries `x-requirement`, the id of the catalogue row that it stands for, so a schema error
is a verdict on that row and nothing else.
"""

from __future__ import annotations

import functools
import importlib.resources
import json
from collections.abc import Iterator, Mapping
from typing import Any

import referencing
from referencing.jsonschema import DRAFT202012

JSON = dict[str, Any]


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
def own_words(name: str) -> frozenset[str]:
    """The words that a document's enumerations and constants name: they are the format's own, wherever they stand."""
    return frozenset(_words(document(name)))


def _words(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        fixed = node.get("enum", ()) if isinstance(node.get("enum"), list) else ()
        yield from (word for word in (*fixed, node.get("const")) if isinstance(word, str))
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _words(inner)


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
