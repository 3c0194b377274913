"""The types of our files say what the schemas say: the same members, required alike, of the same types, both ways."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Literal, NotRequired, Required, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from sendpoll.conformance.recordings.exchange_json import ExchangeJson
from sendpoll.conformance.results.baseline import BaselineJson
from sendpoll.conformance.results.report_json import Report
from sendpoll.load.measure.spending import SpentTold
from sendpoll.load.observe.observed import ObservedTold
from sendpoll.load.plan.plan_json import Plan
from sendpoll.load.results.result_json import LoadResult
from sendpoll.load.scenario.scenario_json import ScenarioJson
from sendpoll.load.trend.trend_json import Trend
from sendpoll.schemas.contract import document

_FILES = [
    ("report.json", Report),
    ("load-result.json", LoadResult),
    ("plan.json", Plan),
    ("observed.json", ObservedTold),
    ("spent.json", SpentTold),
    ("trend.json", Trend),
    ("baseline.json", BaselineJson),
    ("recorded-exchange.json", ExchangeJson),
    ("scenario.json", ScenarioJson),
]
_TYPES: dict[str, type] = {"string": str, "integer": int, "number": float, "boolean": bool}
_KINDS = {value: kind for kind, value in _TYPES.items()} | {type(None): "null"}
Schema = Mapping[str, Any]


@pytest.mark.parametrize(("name", "typed"), _FILES, ids=[name for name, _ in _FILES])
def test_a_type_and_its_schema_agree(name: str, typed: type) -> None:
    schema = document(f"files/{name}")
    assert list(differences(schema, typed, schema, "the file")) == []


def differences(schema: Schema, annotation: Any, root: Schema, place: str) -> Iterator[str]:
    """Where a type and a schema do not say the same; words of a closed set are texts to a type."""
    schema = resolved(schema, root)
    if annotation is Any or schema.get("external"):
        return
    options = set(get_args(annotation)) if get_origin(annotation) in {Union, types.UnionType} else {annotation}
    if branches := _branches(schema):
        yield from _by_kind(branches, options, root, place)
        return
    kinds = _kinds(schema)
    if (type(None) in options) != ("null" in kinds):
        yield f"{place}: only one of the two lets it be null"
    (bare,) = options - {type(None)}
    if is_typeddict(bare):
        yield from members(schema, bare, root, place)
    elif get_origin(bare) in {list, dict}:
        part = schema.get("additionalProperties" if get_origin(bare) is dict else "items", {})
        part = schema["prefixItems"][0] if part is False else part
        yield from differences(part, get_args(bare)[-1], root, f"{place}/*")
    elif get_origin(bare) is Literal:
        if set(get_args(bare)) != set(schema.get("enum", [schema.get("const")])):
            yield f"{place}: {bare} is not {schema}"
    elif bare not in {_TYPES[kind] for kind in kinds & set(_TYPES)}:
        yield f"{place}: {bare} is not {schema}"


def _branches(schema: Schema) -> dict[str, Schema]:
    """What an object must be by what its `kind` says, where that decides."""
    parts = (part for part in schema.get("allOf", ()) if "kind" in part.get("if", {}).get("properties", {}))
    return {part["if"]["properties"]["kind"]["const"]: part["then"] for part in parts}


def _by_kind(branches: Mapping[str, Schema], options: set[Any], root: Schema, place: str) -> Iterator[str]:
    """Where the types of the kinds, one or several a type, are not those of the schema."""
    kinds = {typed: get_args(get_type_hints(typed)["kind"]) for typed in options}
    told = sorted(kind for named in kinds.values() for kind in named)
    if told != sorted(branches):
        yield f"{place}: the kinds {told} are not {sorted(branches)}"
    for typed, named in kinds.items():
        for kind in set(named) & set(branches):
            schema = resolved(branches[kind], root)
            properties = {**schema["properties"], "kind": {"enum": named}}
            schema = {**schema, "properties": properties, "required": [*schema["required"], "kind"]}
            yield from members(schema, typed, root, f"{place}[{kind}]")


def _kinds(schema: Schema) -> set[str]:
    """Which kinds of JSON values a schema lets be."""
    if "enum" in schema:
        return {_KINDS[type(value)] for value in schema["enum"]}
    told = schema.get("type", ())
    return {told} if isinstance(told, str) else set(told)


def members(schema: Schema, typed: Any, root: Schema, place: str) -> Iterator[str]:
    """Where the members of an object differ."""
    listed = schema.get("properties", {})
    required = set(schema.get("required", ()))
    names = set(listed) | required
    declared = get_type_hints(typed, include_extras=True)
    hints = {name: _bare(hint) for name, hint in declared.items()}
    # A typed dictionary's own list of them knows nothing of annotations that are kept as texts.
    asked = {name for name, hint in declared.items() if get_origin(hint) is not NotRequired}
    if names != set(hints):
        yield f"{place}: only in one of the two: {sorted(names ^ set(hints))}"
    if required != asked:
        yield f"{place}: required in one of the two alone: {sorted(required ^ asked)}"
    rest = schema.get("additionalProperties")
    for name in names & set(hints):
        if name in listed:
            yield from differences(listed[name], hints[name], root, f"{place}/{name}")
        elif isinstance(rest, dict):
            yield from _looser(rest, hints[name], f"{place}/{name}")


def _looser(schema: Schema, hint: Any, place: str) -> Iterator[str]:
    """A schema of all further members at once may let more be than the type of one of them."""
    if get_origin(hint) is not list:
        allowed = {_TYPES.get(kind, type(None)) for kind in _kinds(schema)}
        told = set(get_args(hint)) if get_origin(hint) in {Union, types.UnionType} else {hint}
        if not told <= allowed:
            yield f"{place}: {hint} is not {schema}"


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) in {NotRequired, Required} else hint


def resolved(schema: Schema, root: Schema) -> Schema:
    """The schema with what it refers to, and all that it is one of, in its place."""
    if "$ref" in schema:
        place = schema["$ref"]
        if not place.startswith("#/$defs/"):
            return {"external": True}
        schema = {**root["$defs"][place.removeprefix("#/$defs/")], **{k: v for k, v in schema.items() if k != "$ref"}}
    for part in schema.get("allOf", ()):
        if "if" in part:
            continue
        base = resolved(part, root)
        schema = {
            **base,
            **schema,
            "required": [*base.get("required", ()), *schema.get("required", ())],
            "properties": {**base.get("properties", {}), **schema.get("properties", {})},
        }
    for choice in schema.get("oneOf", ()):
        if choice.get("type") != "null":
            chosen = resolved(choice, root)
            return {**chosen, "type": [chosen["type"], "null"]}
    return schema


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"properties": {"a": {"type": "string"}}, "required": ["a"]}, []),
        ({"properties": {"a": {"type": "string"}}}, ["required"]),
        ({"properties": {"a": {"type": "integer"}}, "required": ["a"]}, ["is not"]),
        ({"properties": {"a": {"type": ["string", "null"]}}, "required": ["a"]}, ["null"]),
        ({"properties": {}, "required": []}, ["only in one", "required"]),
        ({"properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]}, ["only in one"]),
    ],
)
def test_a_difference_is_seen(schema: Schema, told: list[str]) -> None:
    from typing import TypedDict  # noqa: PLC0415 - the one type of this test

    one = TypedDict("one", {"a": str})  # noqa: UP013 - a functional one needs no place in the module
    found = list(members(schema, one, {}, "x"))
    assert len(found) == len(told)
    assert all(word in difference for word, difference in zip(told, sorted(found), strict=True))


def test_a_kind_that_only_one_of_the_two_knows_is_seen() -> None:
    from typing import TypedDict  # noqa: PLC0415 - the types of this test

    near = TypedDict("near", {"kind": Literal["near"], "by": str})  # noqa: UP013 - as above
    far = TypedDict("far", {"kind": Literal["far"], "by": int})  # noqa: UP013 - as above
    then = {"properties": {"kind": True, "by": {"type": "string"}}, "required": ["by"]}
    branch = [{"if": {"properties": {"kind": {"const": kind}}}, "then": then} for kind in ("near", "far")]
    assert list(differences({"allOf": branch[:1]}, near, {}, "x")) == []
    assert list(differences({"allOf": branch}, near, {}, "x")) == ["x: the kinds ['near'] are not ['far', 'near']"]
    (told,) = differences({"allOf": branch}, near | far, {}, "x")
    assert told.startswith("x[far]/by: ")
