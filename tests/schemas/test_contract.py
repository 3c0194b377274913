"""The schemas: valid, traceable to the catalogue, and judged alike by the fast validator and the one that explains."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpoll.core.validation import checker, findings, validator
from sendpoll.schemas.catalogue import load_catalogue
from sendpoll.schemas.contract import document, names, registry

MESSAGES = names("messages")
RESPONSES = tuple(name for name in MESSAGES if ".request." not in name)
ANNOTATIONS = {"$schema", "title", "description", "examples", "default", "x-requirement"}
APPLICATORS = {"properties", "items", "allOf", "if", "then", "$ref"}
"""Keywords that hand on to other schemas and can't fail themselves."""

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2**54), st.floats(allow_nan=False), st.text(max_size=5), st.just("")
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
EVENTS = st.one_of(
    st.builds(lambda text: {"type": "text_chunk", "data": {"content": text}}, st.text(max_size=8)),
    st.builds(lambda data: {"type": "tool", "data": data, "extra": 1}, VALUES),
)
POLLS = st.builds(
    lambda status, offset, events: {"data": {"status": status, "next_offset": offset, "events": events}, "extra": None},
    st.sampled_from(["running", "completed"]),
    st.integers(0, 2**53 - 1),
    st.lists(EVENTS, max_size=4),
)


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """Every subschema of a schema, itself first."""
    if not isinstance(node, dict):
        return
    yield node
    for key in ("items", "if", "then"):
        yield from schemas_in(node.get(key))
    for member in node.get("allOf", []):
        yield from schemas_in(member)
    for member in node.get("properties", {}).values():
        yield from schemas_in(member)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, member in value.items():
            yield from places(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from places(member, (*path, index))


@st.composite
def broken_polls(draw: st.DrawFn) -> Any:
    """A valid answer with one place in it changed to anything, or taken away."""
    whole: Any = copy.deepcopy(draw(POLLS))
    path = draw(st.sampled_from(list(places(whole))))
    if not path:
        return draw(VALUES)
    holder: Any = whole
    for key in path[:-1]:
        holder = holder[key]
    if draw(st.booleans()):
        del holder[path[-1]]
    else:
        holder[path[-1]] = draw(VALUES)
    return whole


@pytest.mark.parametrize("name", [*MESSAGES, *names("files")])
def test_each_document_is_a_valid_schema_with_valid_examples(name: str) -> None:
    schema = document(name)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    for example in schema.get("examples", []):
        validator(name).validate(example)


@pytest.mark.parametrize("name", MESSAGES)
def test_each_message_has_an_example(name: str) -> None:
    assert document(name)["examples"]


@pytest.mark.parametrize("name", RESPONSES)
def test_each_constraint_on_a_response_stands_for_a_row(name: str) -> None:
    """Else a finding could not be told under its row."""
    guards = [schema["if"] for schema in schemas_in(document(name)) if "if" in schema]
    inside_guards = [inner for guard in guards for inner in schemas_in(guard)]
    for schema in schemas_in(document(name)):
        constraints = schema.keys() - ANNOTATIONS - APPLICATORS
        if constraints and schema not in inside_guards:
            row = load_catalogue().by_id[schema["x-requirement"]]
            assert not row.excluded


def test_every_reference_leads_to_a_document() -> None:
    for name in MESSAGES:
        for schema in schemas_in(document(name)):
            if "$ref" in schema:
                assert f"messages/{schema['$ref']}" in registry()


def test_a_name_that_is_none_is_not_found() -> None:
    with pytest.raises(FileNotFoundError):
        document("messages/nothing.json")


@settings(max_examples=150, deadline=None)
@given(POLLS)
def test_a_right_poll_has_no_findings(poll: Any) -> None:
    assert checker("messages/poll-task.response.json")(poll)
    assert list(findings("messages/poll-task.response.json", poll)) == []


@settings(max_examples=150, deadline=None)
@given(broken_polls())
def test_both_validators_agree_on_polls(poll: Any) -> None:
    found = list(findings("messages/poll-task.response.json", poll))
    assert checker("messages/poll-task.response.json")(poll) == (not found)


@pytest.mark.parametrize("name", RESPONSES)
@settings(max_examples=40, deadline=None)
@given(value=VALUES)
def test_both_validators_agree_on_any_value(name: str, value: Any) -> None:
    example = document(name)["examples"][0]
    for candidate in (value, {**example, **value} if isinstance(value, dict) else value):
        assert checker(name)(candidate) == (not list(findings(name, candidate)))


ODD_IDS = st.one_of(
    st.text(max_size=6), st.sampled_from(["", ".", "..", "a b", "\n", "a\n", "\u2028", "\x85", "é", "[x]"])
)


@settings(max_examples=150, deadline=None)
@given(ODD_IDS, ODD_IDS)
def test_both_validators_agree_on_identifiers(task: str, conversation: str) -> None:
    """Their regular expressions come from different engines."""
    for name, value in (
        ("messages/send-message.response.json", {"task_id": task}),
        ("messages/create-conversation.response.json", {"conversation_id": conversation}),
    ):
        assert checker(name)(value) == (not list(findings(name, value)))


@pytest.mark.parametrize("task", ["\ud83d", "a/\ude00", ["\ud83d"]])
def test_half_a_surrogate_pair_is_judged_like_any_text(task: object) -> None:
    value = {"task_id": task}
    assert checker("messages/send-message.response.json")(value) == (task == "\ud83d")
    assert checker("messages/send-message.response.json")({"task_id": "t", "\ud83d": task})


@pytest.mark.parametrize("space", [chr(code) for code in range(0x3100) if chr(code).isspace()])
def test_both_validators_agree_on_every_kind_of_space(space: str) -> None:
    for task in (space, f"a{space}", f"a{space}b"):
        assert not checker("messages/send-message.response.json")({"task_id": task})
        assert list(findings("messages/send-message.response.json", {"task_id": task}))


@pytest.mark.parametrize("odd", ['a"', "\\", "a\n", "\0", "a\x1fb"])
def test_each_fault_of_a_conversation_id_is_found(odd: str) -> None:
    found = findings("messages/create-conversation.response.json", {"conversation_id": odd})
    assert [finding.requirement for finding in found] == ["ID-6"]


@pytest.mark.parametrize(
    ("task", "rows"),
    [
        ("task_91bd", set()),
        ("A.z~9-:@,;+=&$!*()'", set()),
        ("|^`<>é你", set()),
        ("", {"ID-1"}),
        (".", {"ID-1"}),
        ("..", {"ID-1"}),
        ('a"b', {"ID-1"}),
        ("a/b", {"ID-2"}),
        ("a?b", {"ID-2"}),
        ("a#b", {"ID-2"}),
        ("a%41", {"ID-2"}),
        ("a b", {"ID-3"}),
        ("a\n", {"ID-3"}),
        ("a\x7f", {"ID-3"}),
        ("a\u2003b", {"ID-3"}),
        ("a[1-3]", {"ID-4"}),
        ("a{x}", {"ID-4"}),
        ("a\\b", {"ID-5"}),
        (7, {"ID-8"}),
        (True, {"ID-8"}),
        (None, {"ID-8"}),
    ],
)
def test_each_fault_of_a_task_id_is_found_under_its_row(task: object, rows: set[str]) -> None:
    found = findings("messages/send-message.response.json", {"task_id": task})
    assert {finding.requirement for finding in found} == rows


@pytest.mark.parametrize(
    ("change", "row", "path"),
    [
        ({"data": None}, "POLL-1", "/data"),
        ({"data": {"status": "running", "events": []}}, "POLL-2", "/data"),
        ({"data": {"status": "running", "next_offset": "3", "events": []}}, "POLL-3", "/data/next_offset"),
        ({"data": {"status": "running", "next_offset": 2**53, "events": []}}, "POLL-4", "/data/next_offset"),
        ({"data": {"status": "running", "next_offset": -1, "events": []}}, "POLL-4", "/data/next_offset"),
        ({"data": {"next_offset": 0, "events": []}}, "POLL-7", "/data"),
        ({"data": {"status": None, "next_offset": 0, "events": []}}, "POLL-7", "/data/status"),
        ({"data": {"status": "running", "next_offset": 0}}, "POLL-10", "/data"),
        ({"data": {"status": "running", "next_offset": 0, "events": {}}}, "POLL-10", "/data/events"),
    ],
)
def test_each_fault_of_a_poll_is_found_under_its_row(change: dict[str, Any], row: str, path: str) -> None:
    found = list(findings("messages/poll-task.response.json", change))
    assert [(finding.requirement, finding.path) for finding in found] == [(row, path)]


@pytest.mark.parametrize(
    ("event", "row"),
    [
        (None, "EVT-1"),
        ("text", "EVT-1"),
        ([], "EVT-1"),
        ({"data": {"content": "x"}}, "EVT-2"),
        ({"type": "text_chunk"}, "EVT-3"),
        ({"type": "text_chunk", "content": "x"}, "EVT-3"),
        ({"type": "text_chunk", "data": "x"}, "EVT-3"),
        ({"type": "text_chunk", "data": {}}, "EVT-3"),
        ({"type": "text_chunk", "data": {"content": None}}, "EVT-4"),
    ],
)
def test_each_fault_of_an_event_is_found_under_its_row(event: Any, row: str) -> None:
    answer = {"data": {"status": "running", "next_offset": 1, "events": [event]}}
    assert {finding.requirement for finding in findings("messages/poll-task.response.json", answer)} == {row}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "other"},
        {"type": None, "data": None},
        {"type": 7, "__proto__": {}, "text": "\0\u2028\r\n\ud83d"},
        {"type": "text_chunk", "data": {"content": "", "extra": 1}, "id": "x"},
    ],
)
def test_what_no_client_minds_is_allowed(event: dict[str, Any]) -> None:
    answer = {"data": {"status": "running", "next_offset": 1, "events": [event]}}
    assert checker("messages/poll-task.response.json")(answer)
    assert list(findings("messages/poll-task.response.json", answer)) == []


def test_a_finding_shows_no_more_of_the_value_than_a_line() -> None:
    found = next(findings("messages/send-message.response.json", {"task_id": ["x" * 1000]}))
    assert len(found.sentence) < 200
    assert json.dumps(found.sentence).isascii()
