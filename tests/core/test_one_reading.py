"""A body breaks under load what it breaks in a check, as far as load looks at it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sendpoll.conformance.rules.rules import observe
from sendpoll.core.json_text import DEPTH_LIMIT, MISSING, plain_value
from sendpoll.core.validation import checker, findings, validator
from sendpoll.load.users.validation import POLL, ResponseJudge
from tests.conformance.exchanges import told

JUDGED_UNDER_LOAD = frozenset(
    {f"JSON-{number}" for number in (1, 2, 3)}
    | {"ENC-1"}
    | {f"POLL-{number}" for number in (1, 2, 3, 4, 7, 10)}
    | {f"EVT-{number}" for number in range(1, 6)}
)
"""Beside the oracle's and HTTP's. Not JSON-4, which no client minds, and nothing of what headers say."""


def polled(**data: Any) -> bytes:
    whole = {"data": {"status": "running", "next_offset": 1, "events": [], **data}}
    return json.dumps({"data": {key: value for key, value in whole["data"].items() if value is not ...}}).encode()


def event(kind: Any, **data: Any) -> bytes:
    return polled(events=[{"type": kind, "data": data}])


def deep(levels: int) -> Any:
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


RIGHT = polled()
MANY = polled(events=[{"type": "text_chunk", "data": {"content": "x"}}] * 2000, next_offset=2000)
ROWS: dict[str, tuple[bytes, set[str]]] = {
    "right": (RIGHT, set()),
    "two thousand events": (MANY, set()),
    "half a surrogate pair as a type": (event("\ud83d"), set()),
    "half a surrogate pair as a key": (event("tool", **{"\udc00": 1}), set()),
    "half a surrogate pair as a content": (event("text_chunk", content="\ud83d"), {"EVT-5"}),
    "half a surrogate pair as a status": (polled(status="\ud83d"), set()),
    "numbers beyond 64 bits": (event("tool", size=10**30, least=-(10**30), big=1e300), set()),
    "4,300 digits": (event("tool", size=1).replace(b": 1}", b": " + b"9" * 4300 + b"}"), set()),
    "4,301 digits": (event("tool", size=1).replace(b": 1}", b": " + b"9" * 4301 + b"}"), {"JSON-3"}),
    "899 levels": (event("tool", x=deep(DEPTH_LIMIT - 6)), set()),
    "901 levels": (event("tool", x=deep(DEPTH_LIMIT - 4)), {"JSON-3"}),
    "a status of 890 levels": (polled(status=deep(DEPTH_LIMIT - 10)), {"POLL-7"}),
    "100,000 levels": (b"[" * 100_000, {"JSON-3"}),
    "NaN": (RIGHT.replace(b"}}", b', "x": NaN}}'), {"JSON-2"}),
    "Infinity in an event": (event("tool", x=float("inf")), {"JSON-2"}),
    "a byte order mark": (b"\xef\xbb\xbf" + RIGHT, {"JSON-1"}),
    "two texts": (RIGHT * 2, {"JSON-1"}),
    "a trailing comma": (RIGHT.replace(b"[]", b"[],"), {"JSON-1"}),
    "a raw control character": (RIGHT.replace(b"running", b"run\nning"), {"JSON-1"}),
    "a guard in front": (b")]}'\n" + RIGHT, {"JSON-1"}),
    "cut": (RIGHT[:-4], {"JSON-1"}),
    "a key twice": (RIGHT.replace(b'"events"', b'"status": "running", "events"'), set()),
    "bytes that are no UTF-8": (RIGHT.replace(b"running", b"\xff"), {"ENC-1"}),
    "half a character": (polled(status="你").replace(b"\\u4f60", "你".encode()[:2]), {"ENC-1"}),
    "white space around": (b"\r\n " + RIGHT + b"\t", set()),
    "no body": (b"", {"POLL-1"}),
    "a page": (b"<html>oops</html>", {"POLL-1"}),
    "a page in Latin-1": (b"<html>\xe9</html>", {"ENC-1", "POLL-1"}),
    "null": (b"null", {"POLL-1"}),
    "no data": (b"{}", {"POLL-1"}),
    "no offset": (polled(next_offset=...), {"POLL-2"}),
    "an offset with a point": (RIGHT.replace(b": 1,", b": 1.0,"), {"POLL-3"}),
    "an offset as a text": (polled(next_offset="1"), {"POLL-3"}),
    "an offset of true": (polled(next_offset=True), {"POLL-3"}),
    "an offset below 0": (polled(next_offset=-1), {"POLL-4"}),
    "an offset beyond 2^53": (polled(next_offset=2**60), {"POLL-4"}),
    "no status": (polled(status=...), {"POLL-7"}),
    "events as an object": (polled(events={}), {"POLL-10"}),
    "an event as a text": (polled(events=["x"]), {"EVT-1"}),
    "an event without a type": (polled(events=[{}]), {"EVT-2"}),
    "a chunk without data": (polled(events=[{"type": "text_chunk"}]), {"EVT-3"}),
    "a content that is a number": (event("text_chunk", content=5), {"EVT-4"}),
}


def told_by_check(body: bytes) -> set[str]:
    seen = observe(told("pollTask", body))
    return {one.requirement for one in seen if one.broken is not None} & JUDGED_UNDER_LOAD


def told_by_load(body: bytes) -> set[str]:
    return {requirement for requirement, _ in ResponseJudge().poll(body).findings}


@pytest.mark.parametrize("name", ROWS)
def test_each_body_breaks_the_same_rows(name: str) -> None:
    body, wanted = ROWS[name]
    assert (told_by_check(body), told_by_load(body)) == (wanted, wanted)


TEXTS = st.text(st.characters(), max_size=6)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.fixed_dictionaries({}, optional={"type": st.just("text_chunk") | JSON_VALUES, "data": JSON_VALUES})
POLLS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.just("running") | JSON_VALUES,
        "next_offset": st.integers(0, 9) | JSON_VALUES,
        "events": st.lists(EVENTS, max_size=3) | JSON_VALUES,
    },
)


@settings(deadline=None)
@given(st.builds(lambda data: {"data": data}, POLLS) | JSON_VALUES)
@example({"data": {"status": "running", "next_offset": 0, "events": [{"type": "\ud83d"}]}})
@example({"data": {"status": "running", "next_offset": 2.0**53, "events": []}})
def test_whatever_a_poll_says_breaks_the_same_rows(value: Any) -> None:
    body = json.dumps(value).encode()
    by_check, by_load = told_by_check(body), told_by_load(body)
    assert bool(by_load) == bool(by_check)
    assert by_load <= by_check


@settings(deadline=None)
@given(st.builds(lambda data: {"data": data}, POLLS))
def test_the_fast_validator_says_what_the_exact_one_says(value: Any) -> None:
    says_the_same(value)


def test_the_fast_validator_says_what_the_exact_one_says_of_a_strange_value() -> None:
    """Not as an example above: Hypothesis prints those, and Python 3.12 and later cannot print one as deep."""
    says_the_same({"data": {"status": "\ud83d", "next_offset": 10**400, "events": deep(880)}})


def says_the_same(value: Any) -> None:
    fits = checker(POLL)(value)
    assert fits == validator(POLL).is_valid(value)
    assert fits == (not list(findings(POLL, value)))


def written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")


@settings(deadline=None)
@given(st.binary(max_size=40) | JSON_VALUES.map(written))
def test_the_short_way_reads_a_value_or_leaves_it_to_the_long_one(body: bytes) -> None:
    value = plain_value(body)
    if value is not MISSING:
        assert json.dumps(value) == json.dumps(json.loads(body))
