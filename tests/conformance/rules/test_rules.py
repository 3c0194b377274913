"""The rules over all traffic: each with an exchange that keeps it and ones that break it, and nothing told twice."""

from __future__ import annotations

import gzip
from typing import Any

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpoll.conformance.http.exchange import Exchange, Failure, Intent
from sendpoll.conformance.rules.predicates import says_too_fast
from sendpoll.conformance.rules.rules import RULES, observe
from sendpoll.schemas.catalogue import load_catalogue
from tests.conformance.exchanges import HEADERS, RIGHT, polled, received, said, told, unanswered, with_event

BODY = said(RIGHT["pollTask"])
LENGTH = b"Content-Length: %d\r\n" % len(BODY)
START = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nCache-Control: no-store\r\n"
CHUNKED = START + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n" % (len(BODY), BODY)
PROBE = Intent.PROBE


def each(*values: Any) -> tuple[Any, ...]:
    """Values of many types."""
    return values


def typed(*values: str) -> Exchange:
    return told("pollTask", headers=tuple(("Content-Type", value) for value in values) + HEADERS[1:])


def offering(coding: str, body: bytes, *offered: str) -> Exchange:
    """A coded answer to a request that offers such codings."""
    headers = tuple(("accept-encoding", value) for value in offered)
    return told("pollTask", body, headers=(*HEADERS, ("Content-Encoding", coding)), sent=headers)


def across(status: int, *origins: str) -> Exchange:
    """An answer to a page of another origin."""
    allowed = tuple(("Access-Control-Allow-Origin", origin) for origin in origins)
    return told(
        "pollTask", status=status, headers=(*HEADERS, *allowed), sent=(("Origin", "http://page"),), intent=PROBE
    )


def failed(status: int, body: Any, operation: str = "pollTask") -> Exchange:
    return told(operation, body, status=status, intent=PROBE)


ID = {"task_id": "task_1"}
GZIPPED = gzip.compress(BODY)
KEPT_AND_BROKEN: dict[str, tuple[Exchange, list[Exchange]]] = {
    "HTTP-1": (
        received(START + LENGTH + b"\r\n" + BODY),
        [
            received(START + LENGTH + b"\r\n" + BODY[:-3]),
            received(START + b"Content-Length: %d\r\n\r\n" % (len(BODY) - 9) + BODY),
            received(START + b"\r\n" + BODY, closes=False),
        ],
    ),
    "HTTP-2": (received(START + LENGTH + b"\r\n" + BODY), [received(START + LENGTH * 2 + b"\r\n" + BODY)]),
    "HTTP-3": (received(CHUNKED + b"0\r\n\r\n"), [received(CHUNKED), received(CHUNKED + b"0\r\nX-T: 1\r\n\r\n")]),
    "HTTP-4": (
        received(START + LENGTH + b"\r\n" + BODY),
        [received((START + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + BODY)],
    ),
    "HTTP-5": (
        received(START + LENGTH + b"\r\n" + BODY),
        [received(b"HTTP/1.1 102 Processing\r\n\r\n" + START + LENGTH + b"\r\n" + BODY)],
    ),
    "HTTP-6": (
        received(START + LENGTH + b"\r\n" + BODY),
        [received(START + b"X: 1\r\n" * 100 + LENGTH + b"\r\n" + BODY)],
    ),
    "HTTP-7": (told("pollTask"), [unanswered(Failure.CLOSED), unanswered(Failure.CLOSED, "sendMessage")]),
    "HTTP-9": (told("pollTask"), [unanswered(Failure.TIMEOUT, pause=31.0)]),
    "BODY-5": (
        told("sendMessage", {}, status=422, intent=PROBE, probe="body"),
        [
            told("sendMessage", {}, status=500, intent=PROBE, probe="body"),
            unanswered(Failure.CLOSED, "sendMessage", intent=PROBE, probe="body"),
            unanswered(Failure.TIMEOUT, "sendMessage", intent=PROBE, probe="body"),
        ],
    ),
    "FROM-2": (
        told("pollTask", {}, status=400, intent=PROBE, probe="from"),
        [
            told("pollTask", {}, status=500, intent=PROBE, probe="from"),
            unanswered(Failure.GARBAGE, intent=PROBE, probe="from"),
        ],
    ),
    "FROM-6": (
        told("pollTask", {}, status=400, intent=PROBE, probe="odd from"),
        [
            told("pollTask", {}, status=500, intent=PROBE, probe="odd from"),
            unanswered(Failure.CLOSED, intent=PROBE, probe="odd from"),
        ],
    ),
    "AUTH-5": (
        told("pollTask", {}, status=400, intent=PROBE, probe="odd auth"),
        [
            told("pollTask", {}, status=500, intent=PROBE, probe="odd auth"),
            unanswered(Failure.TIMEOUT, intent=PROBE, probe="odd auth"),
        ],
    ),
    "POLL-13": (
        told("pollTask", late=True),
        [told("pollTask", {}, status=status, late=True) for status in (404, 410, 500)],
    ),
    "AUTH-3": (
        told("pollTask", {}, status=401, intent=PROBE, probe="auth"),
        [
            told("pollTask", {}, status=502, intent=PROBE, probe="auth"),
            unanswered(Failure.TIMEOUT, intent=PROBE, probe="auth"),
        ],
    ),
    "REQ-9": (
        told("createWorkspace"),
        [told("createWorkspace", b"", status=status) for status in (301, 302, 303, 307, 308)],
    ),
    "WS-1": (
        told("createWorkspace", b"null"),
        [told("createWorkspace", body) for body in (b"", b"OK", b"<html></html>")],
    ),
    "WS-2": (
        told("createWorkspace", again=True),
        [told("createWorkspace", {}, status=status, again=True) for status in (400, 409, 422, 500)],
    ),
    "WS-3": (
        told("createWorkspace", status=201),
        [told("createWorkspace", {}, status=status) for status in (304, 400, 500)],
    ),
    "CONV-1": (
        told("createConversation"),
        [
            told("createConversation", {}, status=404),
            *(told("createConversation", body) for body in each(b"", [], {}, {"id": "c"})),
            told("createConversation", {"data": {"conversation_id": "c"}}),
        ],
    ),
    "MSG-1": (
        told("sendMessage", status=202),
        [
            told("sendMessage", {}, status=400),
            *(told("sendMessage", body) for body in each(b"", "t", {}, {"data": ID}, {"taskId": "t"})),
        ],
    ),
    "MSG-2": (told("pollTask"), [told("pollTask", {}, status=status) for status in (404, 425, 503)]),
    "POLL-1": (
        told("pollTask"),
        [
            told("pollTask", b"", status=204),
            told("pollTask", b"", status=304),
            told("pollTask", {}, status=500),
            *(polled(body) for body in each(b"", b"x", [], {}, {"data": None}, {"data": []})),
            polled(RIGHT["pollTask"]["data"]),
        ],
    ),
    "ID-1": (told("sendMessage"), [told("sendMessage", {"task_id": odd}) for odd in ("", ".", "..", 'a"b')]),
    "ID-2": (told("sendMessage"), [told("sendMessage", {"task_id": odd}) for odd in ("a/b", "a?b", "a#b", "a%41")]),
    "ID-3": (told("sendMessage"), [told("sendMessage", {"task_id": odd}) for odd in ("a b", "a\tb", "a\n", "a\0")]),
    "ID-4": (told("sendMessage"), [told("sendMessage", {"task_id": odd}) for odd in ("a[1-3]", "a{x,y}")]),
    "ID-5": (told("sendMessage"), [told("sendMessage", {"task_id": "a\\b"})]),
    "ID-6": (
        told("createConversation"),
        [told("createConversation", {"conversation_id": odd}) for odd in ('a"b', "a\\b", "a\n", "a\0")],
    ),
    "ID-8": (
        told("sendMessage"),
        [told("sendMessage", {"task_id": 7}), told("createConversation", {"conversation_id": 2**53 + 1})],
    ),
    "POLL-2": (told("pollTask"), [polled(next_offset=...), polled(next_offset=..., status="completed")]),
    "POLL-3": (
        told("pollTask"),
        [polled(b'{"data": {"status": "running", "events": [], "next_offset": %s}}' % literal)
         for literal in (b"3.0", b"1e3", b'"3"', b"null", b"true", b"[]")],
    ),
    "POLL-4": (polled(next_offset=2**53 - 1), [polled(next_offset=2**53), polled(next_offset=-1)]),
    "POLL-7": (polled(status="completed"), [polled(status=odd) for odd in each(None, 1, ...)]),
    "POLL-10": (polled(events=[]), [polled(events=odd) for odd in each(None, {}, "x", 3, ...)]),
    "POLL-11": (
        told("pollTask", headers=HEADERS[:1]),
        [told("pollTask", headers=(HEADERS[0], ("Cache-Control", "max-age=60")))],
    ),
    "CACHE-1": (told("pollTask"), [told("pollTask", headers=HEADERS[:1])]),
    "EVT-1": (told("pollTask"), [with_event(odd) for odd in each(None, "x", 1, [])]),
    "EVT-2": (with_event({"type": None}), [with_event({"data": {}})]),
    "EVT-3": (
        told("pollTask"),
        [
            with_event({"type": "text_chunk", **rest})
            for rest in each({}, {"data": None}, {"data": {}}, {"content": "x"})
        ],
    ),
    "EVT-4": (
        with_event({"type": "text_chunk", "data": {"content": ""}}),
        [with_event({"type": "text_chunk", "data": {"content": odd}}) for odd in each(None, 5, {}, [])],
    ),
    "EVT-5": (
        told("pollTask"),
        [polled(b'{"data": {"status": "running", "next_offset": 1, "events": [{"type": "text_chunk", '
                b'"data": {"content": "\\ud83d"}}]}}')],
    ),
    "JSON-1": (told("pollTask"), [polled(BODY + b"x"), polled(b"\xef\xbb\xbf" + BODY)]),
    "JSON-2": (told("pollTask"), [polled(BODY.replace(b'"thinking"', b'"x", "data": NaN'))]),
    "JSON-3": (told("pollTask"), [polled(BODY.replace(b'"thinking"', b'"x", "data": ' + b"[" * 1500 + b"]" * 1500))]),
    "JSON-4": (told("pollTask"), [polled(BODY.replace(b'"thinking"', b'"x", "type": "y"'))]),
    "ENC-1": (told("pollTask"), [polled(BODY.replace("好".encode(), "好".encode()[:2]))]),
    "ENC-2": (
        typed("application/json"),
        [typed(), typed("text/plain; charset=utf-8"), typed("application/problem+json")],
    ),
    "ENC-3": (
        typed('application/json; charset="UTF-8"'),
        [typed(f"application/json; charset={name}") for name in ("utf8", "gbk", "us-ascii")],
    ),
    "ENC-4": (typed("application/json; charset=utf-8"), [typed("application/json")]),
    "ENC-5": (typed("application/json"), [typed("application/json;"), typed("json"), typed("a/b, c/d")]),
    "ENC-6": (
        offering("gzip", GZIPPED, "gzip"),
        [offering("gzip", GZIPPED), offering("br", brotli.compress(BODY), "gzip")],
    ),
    "ENC-7": (offering("gzip", GZIPPED, "gzip"), [offering("gzip", BODY, "gzip")]),
    "ENC-8": (
        offering("gzip", GZIPPED + gzip.compress(b""), "gzip"),
        [offering("gzip", gzip.compress(BODY[:9]) + gzip.compress(BODY[9:]), "gzip")],
    ),
    "ERR-1": (failed(404, {"error": {}}), [failed(404, b""), failed(404, b"Not Found"), failed(500, [])]),
    "CORS-5": (across(200, "*"), [across(200), across(200, "*", "*"), across(200, "http://other")]),
    "CORS-6": (across(404, "http://page"), [across(404), across(401, "*", "*")]),
}  # fmt: skip


def seen(exchange: Exchange) -> dict[str, str | None]:
    """What the rules say of an exchange; a rule that speaks twice would lose one of its words here."""
    found = list(observe(exchange))
    assert len({observation.requirement for observation in found}) == len(found)
    return {observation.requirement: observation.broken for observation in found}


def test_every_rule_is_a_row_that_is_checked_and_tried_here() -> None:
    rules = [rule.requirement for rule in RULES]
    assert sorted(set(rules)) == sorted(rules)
    assert set(rules) <= {row.id for row in load_catalogue().checked}
    assert set(rules) == KEPT_AND_BROKEN.keys()


@pytest.mark.parametrize("requirement", KEPT_AND_BROKEN)
def test_a_rule_sees_that_it_was_kept(requirement: str) -> None:
    observed = seen(KEPT_AND_BROKEN[requirement][0])
    assert observed[requirement] is None


BREAKING = [(row, number) for row, (_, broken) in KEPT_AND_BROKEN.items() for number in range(len(broken))]


@pytest.mark.parametrize(("requirement", "number"), BREAKING)
def test_a_rule_sees_that_it_was_broken(requirement: str, number: int) -> None:
    exchange = KEPT_AND_BROKEN[requirement][1][number]
    sentence = seen(exchange)[requirement]
    assert sentence
    assert "\n" not in sentence


BESIDE = {"POLL-11": {"CACHE-1"}, "ENC-2": {"ENC-4"}}
"""Rows that a fault of a row may break too, since the same bytes do."""


@pytest.mark.parametrize(("requirement", "number"), BREAKING)
def test_one_fault_is_told_under_one_row(requirement: str, number: int) -> None:
    """An error status is no JSON object too, and an answer without a body has no media type."""
    exchange = KEPT_AND_BROKEN[requirement][1][number]
    broken = {row for row, sentence in seen(exchange).items() if sentence}
    assert broken - {"ERR-1"} <= {requirement} | BESIDE.get(requirement, set())


@pytest.mark.parametrize("operation", RIGHT)
def test_a_right_answer_breaks_nothing(operation: str) -> None:
    assert not [row for row, sentence in seen(told(operation)).items() if sentence]


@pytest.mark.parametrize("failure", [Failure.CONNECT, Failure.TIMEOUT, Failure.FLOOD, Failure.GARBAGE])
def test_what_never_came_is_not_judged_by_what_it_says(failure: Failure) -> None:
    assert not [row for row, sentence in seen(unanswered(failure)).items() if sentence]


def test_an_odd_offset_is_judged_as_http_alone() -> None:
    observed = seen(told("pollTask", {"data": None}, intent=PROBE, probe="from"))
    assert observed["FROM-2"] is None
    assert not observed.keys() & {"POLL-1", "POLL-2", "CACHE-1"}


def test_a_server_may_ask_for_a_slower_pace() -> None:
    slow = told("pollTask", {}, status=429)
    assert says_too_fast(slow)
    assert not {row for row, sentence in seen(slow).items() if sentence}
    assert says_too_fast(told("pollTask", {}, status=503, headers=(("Retry-After", "1"),)))
    assert not says_too_fast(told("pollTask", {}, status=503))


ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.lists(st.none(), max_size=2),
    st.dictionaries(st.sampled_from(["type", "data", "content", "task_id", "next_offset"]), st.text(max_size=3)),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(list(RIGHT)),
    st.one_of(
        st.binary(max_size=30),
        ODD,
        st.builds(
            lambda status, offset, events: {"data": {"status": status, "next_offset": offset, "events": events}},
            ODD, ODD, st.one_of(ODD, st.lists(ODD, max_size=3)),
        ),
    ),
    st.integers(200, 599),
    st.sampled_from([{}, {"intent": PROBE}, {"intent": PROBE, "probe": "from"}, {"intent": Intent.SHAPE}]),
)  # fmt: skip
def test_no_answer_makes_a_rule_raise(operation: str, body: Any, status: int, request: dict[str, Any]) -> None:
    seen(told(operation, body, status=status, **request))
