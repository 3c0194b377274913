"""What headers mean to the clients."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sendpoll.conformance.http.exchange import Request, Response
from sendpoll.conformance.rules import headers


def answer(*fields: tuple[str, str]) -> Response:
    return Response(status=200, reason="OK", version="1.1", headers=fields, body=b"{}", complete=True)


def asking(*fields: tuple[str, str]) -> Request:
    return Request(method="GET", target="/", headers=fields)


def typed(value: str) -> Response:
    return answer(("Content-Type", value))


@pytest.mark.parametrize(
    ("value", "name", "charset"),
    [
        ("application/json", "application/json", None),
        ("Application/JSON;charset=UTF-8", "application/json", "UTF-8"),
        ('application/json ; charset="utf-8"', "application/json", "utf-8"),
        ("application/json; a=b; charset=gbk", "application/json", "gbk"),
        ('application/json; a="x;charset=gbk"', "application/json", None),
        ("text/plain", "text/plain", None),
        ("application/vnd.api+json", "application/vnd.api+json", None),
    ],
)
def test_media_types(value: str, name: str, charset: str | None) -> None:
    assert headers.media_type(typed(value)) == headers.MediaType(name, charset)
    assert headers.media_type_fault(typed(value)) is None


@pytest.mark.parametrize(
    "value",
    ["application/json;", "application/json; charset", "json", "a/b, c/d", "", "application/json; charset=", "a/b; =c"],
)
def test_what_is_no_media_type_is_told_once(value: str) -> None:
    assert headers.media_type_fault(typed(value))
    assert headers.type_fault(typed(value)) is None
    assert headers.charset_fault(typed(value)) is None


@pytest.mark.parametrize(
    ("value", "broken"),
    [
        ("application/json", False),
        ("application/JSON; charset=utf-8", False),
        ("text/json", True),
        ("text/plain; charset=utf-8", True),
        ("application/octet-stream", True),
        ("application/problem+json", True),
        ("application/x-ndjson", True),
    ],
)
def test_the_one_media_type(value: str, broken: bool) -> None:
    assert bool(headers.type_fault(typed(value))) is broken


def test_no_content_type_at_all() -> None:
    assert headers.type_fault(answer())
    assert headers.media_type_fault(answer()) is None
    assert headers.type_fault(None) is None


@pytest.mark.parametrize(
    ("charset", "broken"),
    [("utf-8", False), ("UTF-8", False), ('"utf-8"', False), ("utf8", True), ("latin-1", True), ("us-ascii", True)],
)
def test_the_one_charset(charset: str, broken: bool) -> None:
    assert bool(headers.charset_fault(typed(f"application/json; charset={charset}"))) is broken


@pytest.mark.parametrize(
    ("offered", "coding", "broken"),
    [
        (None, None, False),
        (None, "identity", False),
        (None, "gzip", True),
        ("gzip", "gzip", False),
        ("gzip", "x-gzip", False),
        ("gzip, deflate", "deflate", False),
        ("gzip;q=1.0, br", "br", False),
        ("gzip", "br", True),
        ("gzip", "deflate", True),
        ("gzip", "gzip, gzip", True),
    ],
)
def test_codings_that_were_offered(offered: str | None, coding: str | None, broken: bool) -> None:
    request = asking(*([("accept-encoding", offered)] if offered else []))
    response = answer(*([("Content-Encoding", coding)] if coding else []))
    assert bool(headers.coding_fault(request, response)) is broken


DATE = ("Date", "Sun, 22 Nov 2026 08:00:00 GMT")


@pytest.mark.parametrize(
    ("fields", "broken"),
    [
        ([], False),
        ([("Cache-Control", "no-store")], False),
        ([("Cache-Control", "no-cache, max-age=60")], False),
        ([("Cache-Control", "max-age=0")], False),
        ([("Cache-Control", "max-age=00")], False),
        ([("ETag", '"x"')], False),
        ([("Last-Modified", "Sun, 22 Nov 2026 07:59:58 GMT")], False),
        ([("Expires", "0")], False),
        ([("Expires", "Thu, 01 Jan 1970 00:00:00 GMT")], False),
        ([("Cache-Control", "max-age=0"), ("Expires", "Sun, 22 Nov 2099 08:00:00 GMT")], False),
        ([("Cache-Control", "max-age=60")], True),
        ([("Cache-Control", 'private, MAX-AGE="60"')], True),
        ([("Cache-Control", "private"), ("Cache-Control", "max-age=" + "9" * 5000)], True),
        ([("Expires", "Sun, 22 Nov 2026 08:01:00 GMT")], True),
        ([("Last-Modified", "Fri, 14 Aug 2026 08:00:00 GMT")], True),
        ([("Cache-Control", "private"), ("Last-Modified", "Fri, 14 Aug 2026 08:00:00 GMT")], True),
    ],
)
def test_what_a_cache_may_keep(fields: list[tuple[str, str]], broken: bool) -> None:
    assert bool(headers.freshness_fault(answer(DATE, *fields))) is broken


@pytest.mark.parametrize("control", ["no-store", "no-cache", "private, NO-STORE"])
def test_answers_that_say_so_are_not_stored(control: str) -> None:
    assert headers.storing_fault(answer(("cache-control", control))) is None


@pytest.mark.parametrize("fields", [[], [("cache-control", "max-age=0")], [("pragma", "no-cache")]])
def test_answers_that_do_not_say_whether_they_may_be_stored(fields: list[tuple[str, str]]) -> None:
    assert headers.storing_fault(answer(*fields))


@pytest.mark.parametrize(
    ("values", "origin", "broken"),
    [
        (["*"], "http://page", False),
        (["http://page"], "http://page", False),
        (["null"], "null", False),
        ([], "http://page", True),
        (["*", "*"], "http://page", True),
        (["*, *"], "http://page", True),
        (["http://other"], "http://page", True),
        (["http://page/"], "http://page", True),
        (["HTTP://PAGE"], "http://page", True),
    ],
)
def test_origins_that_are_allowed(values: list[str], origin: str, broken: bool) -> None:
    response = answer(*(("access-control-allow-origin", value) for value in values))
    assert bool(headers.origin_fault(response, origin)) is broken


@pytest.mark.parametrize(
    ("asked", "allowed", "asterisk", "missing"),
    [
        ("authorization, content-type", ["Authorization", "Content-Type, x"], False, None),
        ("", [], False, None),
        ("authorization,,", ["authorization"], False, None),
        ("authorization, content-type", ["authorization"], False, "content-type"),
        ("authorization, content-type", [], True, "authorization and content-type"),
        ("content-type", ["*"], True, None),
        ("content-type", ["*"], False, "content-type"),
        ("content-type", ["authorization"], True, "content-type"),
    ],
)
def test_headers_that_a_preflight_asks_for(asked: str, allowed: list[str], asterisk: bool, missing: str | None) -> None:
    response = answer(*(("access-control-allow-headers", value) for value in allowed))
    told = headers.missing_header(asking(("access-control-request-headers", asked)), response, asterisk=asterisk)
    assert told == (None if missing is None else f"Access-Control-Allow-Headers does not name {missing}")


def test_lists_are_read_over_all_lines() -> None:
    response = answer(("X", "Authorization, content-type"), ("x", " A ,, b"))
    assert headers.listed(response, "x") == {"authorization", "content-type", "a", "b"}


VALUE = st.text(st.characters(max_codepoint=0xFF), max_size=30)
DIGITS = st.text("0123456789²³¹+- :,GMT", max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["Date", "Expires", "Last-Modified", "Cache-Control", "Content-Type", "Content-Encoding"]),
        st.one_of(
            VALUE,
            DIGITS.map(lambda age: f"max-age={age}"),
            DIGITS.map(lambda zone: f"Mon, 01 Jan 2024 00:00:00 {zone}"),
            st.integers().map(lambda year: f"Mon, 01 Jan {year} 00:00:00 +{year}"),
        ),
    )
)
def test_no_header_makes_any_of_them_raise(fields: dict[str, str]) -> None:
    response = answer(*fields.items())
    headers.freshness_fault(response)
    headers.storing_fault(response)
    headers.type_fault(response)
    headers.charset_fault(response)
    headers.coding_fault(asking(), response)
    headers.origin_fault(response, "null")
