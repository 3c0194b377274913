"""The reader of answers: the same whatever the split, every fault told, nothing that HTTP allows taken for one."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sendpoll.conformance.http.exchange import Failure, Response
from sendpoll.conformance.http.limits import KEPT_BYTES
from sendpoll.conformance.http.response_reader import ResponseReader
from sendpoll.core.http.limits import BODY_LIMIT, HEAD_LIMIT
from tests.conformance.exchanges import read

JSON = b'{"data":{"status":"running","next_offset":0,"events":[]}}'
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def sized(body: bytes = JSON, *, start: bytes = OK, extra: bytes = b"") -> bytes:
    return start + b"Content-Type: application/json\r\n" + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunks(*parts: bytes, extension: bytes = b"") -> bytes:
    return b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n\r\n"


def answer(reader: ResponseReader) -> Response:
    response = reader.response()
    assert response is not None
    return response


def broken(reader: ResponseReader) -> set[str]:
    return {fault.requirement for fault in answer(reader).faults}


CUT = sized()[:-9]
FAULTY: dict[str, tuple[bytes, bool, str, Failure | None]] = {
    "too short by its length, then closed": (CUT, True, "HTTP-1", Failure.CLOSED),
    "whole and short of its length, then silent": (
        OK + b"Content-Length: 99\r\n\r\n" + JSON,
        False,
        "HTTP-1",
        Failure.TIMEOUT,
    ),
    "without a length and kept open": (OK + b"\r\n" + JSON, False, "HTTP-1", Failure.TIMEOUT),
    "two equal lengths": (sized(extra=b"Content-Length: %d\r\n" % len(JSON)), True, "HTTP-2", None),
    "two different lengths": (OK + b"Content-Length: 57\r\nContent-Length: 99\r\n\r\n" + JSON, True, "HTTP-2", None),
    "a list of lengths": (OK + b"Content-Length: 57, 57\r\n\r\n" + JSON, True, "HTTP-2", None),
    "a length with a sign": (OK + b"Content-Length: +57\r\n\r\n" + JSON, True, "HTTP-2", None),
    "a length that is a word": (OK + b"Content-Length: all\r\n\r\n" + JSON, True, "HTTP-2", None),
    "length and chunks": (
        OK + b"Content-Length: 57\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(JSON),
        True,
        "HTTP-2",
        None,
    ),
    "chunks without the last, closed": (CHUNKED + chunks(JSON)[:-5], True, "HTTP-3", Failure.CLOSED),
    "chunks without the last, silent": (CHUNKED + chunks(JSON)[:-5], False, "HTTP-3", Failure.TIMEOUT),
    "a chunk without its end": (CHUNKED + b"5\r\nhel", True, "HTTP-3", Failure.CLOSED),
    "a chunk longer than its size": (CHUNKED + b"2\r\nhello\r\n0\r\n\r\n", True, "HTTP-3", Failure.GARBAGE),
    "a chunk size that is none": (CHUNKED + b"five\r\nhello\r\n0\r\n\r\n", True, "HTTP-3", Failure.GARBAGE),
    "a negative chunk size": (CHUNKED + b"-1\r\nhello\r\n0\r\n\r\n", True, "HTTP-3", Failure.GARBAGE),
    "a chunk size without end": (CHUNKED + b"1" * 70_000, True, "HTTP-3", Failure.FLOOD),
    "trailers": (CHUNKED + chunks(JSON)[:-2] + b"X-Checksum: 1\r\n\r\n", True, "HTTP-3", None),
    "bare line feeds in the head": (sized().replace(b"\r\n", b"\n"), True, "HTTP-4", None),
    "a bare line feed behind a chunk size": (CHUNKED + chunks(JSON).replace(b"\r\n", b"\n", 1), True, "HTTP-4", None),
    "HTTP/2 in the status line": (sized(start=b"HTTP/2 200\r\n"), True, "HTTP-4", None),
    "a header line without a colon": (sized(extra=b"nonsense\r\n"), True, "HTTP-4", None),
    "a space in front of the colon": (sized(extra=b"X-A : 1\r\n"), True, "HTTP-4", None),
    "a carriage return inside a value": (sized(extra=b"X-A: a\rb\r\n"), True, "HTTP-4", None),
    "NUL inside a value": (sized(extra=b"X-A: a\0b\r\n"), True, "HTTP-4", None),
    "100 Continue": (b"HTTP/1.1 100 Continue\r\n\r\n" + sized(), True, "HTTP-5", None),
    "103 Early Hints": (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + sized(), True, "HTTP-5", None),
    "100 header lines": (sized(extra=b"X-A: 1\r\n" * 98), True, "HTTP-6", None),
    "16 KiB of headers": (sized(extra=b"X-A: " + b"a" * 16_384 + b"\r\n"), True, "HTTP-6", None),
}


@pytest.mark.parametrize("name", FAULTY)
def test_each_fault_is_told_under_its_row_alone(name: str) -> None:
    raw, closes, requirement, failure = FAULTY[name]
    reader = read([raw], closes=closes)
    assert broken(reader) == {requirement}
    assert reader.failure is failure


@pytest.mark.parametrize("name", FAULTY)
def test_an_answer_with_a_fault_is_still_read(name: str) -> None:
    raw, closes, _, failure = FAULTY[name]
    response = answer(read([raw], closes=closes))
    assert response.status == 200
    if failure is None:
        assert response.body == JSON
        assert response.complete


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        pytest.param(sized(), JSON, id="as every server does"),
        pytest.param(sized(start=b"HTTP/1.1 206 Partial Content\r\n"), JSON, id="206"),
        pytest.param(sized(start=b"HTTP/1.0 200 OK\r\n"), JSON, id="HTTP/1.0"),
        pytest.param(sized(start=b"HTTP/1.1 200 \r\n"), JSON, id="empty reason"),
        pytest.param(sized(start=b"HTTP/1.1 200\r\n"), JSON, id="no reason"),
        pytest.param(OK + b"\r\n" + JSON, JSON, id="until the connection closes"),
        pytest.param(CHUNKED + chunks(JSON), JSON, id="one chunk"),
        pytest.param(CHUNKED + chunks(*(bytes([byte]) for byte in JSON)), JSON, id="a chunk a byte"),
        pytest.param(CHUNKED + chunks("é".encode()[:1], "é".encode()[1:]), "é".encode(), id="split in a character"),
        pytest.param(CHUNKED + chunks(JSON, extension=b";a=1"), JSON, id="chunk extension"),
        pytest.param(CHUNKED + chunks(JSON, extension=b";a=" + b"x" * 2000), JSON, id="long chunk extension"),
        pytest.param(sized() + b"more behind the body", JSON, id="extra bytes behind the body"),
        pytest.param(sized(extra=b"X-Name: \xe4\xbd\xa0\r\n"), JSON, id="UTF-8 in a header"),
        pytest.param(sized(extra=b"X-Name: a\r\n  b\r\n"), JSON, id="folded header"),
        pytest.param(sized(extra=b"X-Unknown:\t \r\n"), JSON, id="empty header"),
        pytest.param(sized(b"x" * 2_000_000), b"x" * 2_000_000, id="2 MB"),
    ],
)
def test_what_http_allows_is_no_fault(raw: bytes, body: bytes) -> None:
    reader = read([raw])
    assert (reader.failure, broken(reader)) == (None, set())
    assert answer(reader).body == body


def test_a_server_that_pauses_in_the_middle_of_a_text_is_slow_and_its_framing_right() -> None:
    reader = read([CUT], closes=False)
    assert (reader.failure, broken(reader)) == (Failure.TIMEOUT, set())


def test_surplus_is_kept_beside_the_body() -> None:
    assert answer(read([sized() + b"HTTP/1.1 200 OK\r\n"])).surplus == b"HTTP/1.1 200 OK\r\n"


def test_a_folded_header_is_one_header() -> None:
    assert answer(read([sized(extra=b"X-Name: a\r\n\t b\r\n")])).header("x-name") == "a b"


@pytest.mark.parametrize("raw", [OK + b"Content-Length: 5\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n"])
def test_answers_that_have_no_body(raw: bytes) -> None:
    reader = read([raw], head_only=raw.startswith(OK))
    assert reader.failure is None
    assert answer(reader).body == b""


@pytest.mark.parametrize(
    ("raw", "failure"),
    [
        (b"", Failure.CLOSED),
        (OK, Failure.CLOSED),
        (b"HTTP/1.1 100 Continue\r\n\r\n", Failure.CLOSED),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Failure.GARBAGE),
        (b"\0\0\0", Failure.GARBAGE),
        (b"HTTP/1.1 abc\r\n\r\n", Failure.GARBAGE),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, Failure.FLOOD),
    ],
)
def test_what_is_no_answer(raw: bytes, failure: Failure) -> None:
    reader = read([raw])
    assert reader.failure is failure
    assert reader.response() is None


def test_a_head_far_beyond_what_anybody_reads_is_told_as_one() -> None:
    reader = read([OK + b"X-A: 1\r\n" * (HEAD_LIMIT // 8)])
    assert reader.failure is Failure.FLOOD
    assert (answer(reader).status, answer(reader).complete, broken(reader)) == (200, False, {"HTTP-6"})


@pytest.mark.parametrize("raw", [b"SSH-2.0\r\n", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 20 OK\r\n\r\n"])
def test_the_faults_of_what_came_to_no_answer_are_kept(raw: bytes) -> None:
    reader = read([raw])
    assert reader.response() is None
    assert "HTTP-4" in {fault.requirement for fault in reader.stray}


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param((OK + b"\r\n", b"x" * 65_536), id="body"),
        pytest.param((CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n"), id="chunks"),
        pytest.param((CHUNKED + b"0\r\n", b"x" * 65_536), id="one trailer without end"),
        pytest.param((CHUNKED + b"0\r\n", b"X: 1\r\n" * 10_000), id="trailers without end"),
        pytest.param((OK, b"x" * 65_536), id="head"),
        pytest.param((b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 2_000), id="interim answers without end"),
    ],
)
def test_a_flood_ends_the_reading(flood: tuple[bytes, bytes]) -> None:
    begin, more = flood
    reader = ResponseReader()
    reader.feed(begin)
    fed = 0
    while not reader.done:
        reader.feed(more)
        fed += len(more)
        assert fed <= BODY_LIMIT + 2 * len(more)
    assert reader.failure is Failure.FLOOD
    assert len(reader._faults) <= 110
    response = reader.response()
    if response is not None and response.body:
        assert (len(response.body), response.body_bytes > BODY_LIMIT) == (KEPT_BYTES, True)


def result(reader: ResponseReader) -> tuple[object, ...]:
    return reader.failure, reader.interim, reader.response()


WHOLE = [raw for raw, *_ in FAULTY.values() if len(raw) < 4096] + [
    CHUNKED + chunks(JSON, extension=b"; a=" + b"x" * 2000)
]


@pytest.mark.parametrize("raw", [sized(), CHUNKED + chunks(JSON, JSON), *WHOLE])
def test_byte_by_byte_is_the_same_as_all_at_once(raw: bytes) -> None:
    assert result(read(bytes([byte]) for byte in raw)) == result(read([raw]))


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 4096), max_size=12))
def test_any_split_is_the_same_as_all_at_once(raw: bytes, cuts: list[int]) -> None:
    at = [0, *sorted(cut for cut in cuts if cut < len(raw)), len(raw)]
    assert result(read(raw[a:b] for a, b in itertools.pairwise(at))) == result(read([raw]))


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([b"", OK, CHUNKED, OK + b"Content-Length: 5\r\n\r\n", CHUNKED + b"5\r\nhello\r\n"]),
    st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b"\r\n", b"\n", b"0\r\n", b": ", b";", b"HTTP/1.1 "]))),
    st.booleans(),
)
@example(CHUNKED, [b"ffffffffffff\r\n"], True)
@example(OK, [b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"], False)
def test_no_bytes_make_it_raise(begin: bytes, pieces: list[bytes], closes: bool) -> None:
    reader = read([begin, *pieces], closes=closes)
    assert reader.done
    reader.response()


def test_a_server_of_http_2_alone_is_named() -> None:
    reader = ResponseReader()
    reader.feed(b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" + b"\x00\x00\x08\x07\x00\x00\x00\x00\x00" + bytes(8))

    assert reader.failure is Failure.GARBAGE
    assert "HTTP/2" in reader.detail
