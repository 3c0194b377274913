"""Answers of every framing, and what no client could read."""

from __future__ import annotations

import gzip

import pytest

from sendpoll.load.http.http_response import (
    MAX_BODY,
    ChunkedBody,
    Head,
    HeadReader,
    MalformedAnswerError,
    gunzip,
    parse_head,
)


def head(*lines: str, status: str = "HTTP/1.1 200 OK") -> Head:
    return parse_head("\r\n".join((status, *lines)).encode("latin-1"))


def test_a_plain_head() -> None:
    parsed = head("Content-Type: application/json", "content-LENGTH: 12")
    assert (parsed.status, parsed.length, parsed.chunked, parsed.keep_alive, parsed.gzip) == (
        200,
        12,
        False,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("status", "lines", "expected"),
    [
        ("HTTP/1.1 200 OK", ("Content-Length: 0",), True),
        ("HTTP/1.1 200 OK", ("Content-Length: 0", "Connection: Close"), False),
        ("HTTP/1.0 200 OK", ("Content-Length: 0",), False),
        ("HTTP/1.0 200 OK", ("Content-Length: 0", "Connection: keep-alive"), True),
        ("HTTP/1.1 200", (), False),
        ("HTTP/1.1 200 ", ("Transfer-Encoding: chunked",), True),
    ],
)
def test_a_connection_serves_again_only_if_both_sides_know_where_the_body_ends(
    status: str, lines: tuple[str, ...], expected: bool
) -> None:
    assert head(*lines, status=status).keep_alive is expected


@pytest.mark.parametrize("status", ["HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified", "HTTP/1.1 103 Early Hints"])
def test_answers_that_never_have_a_body(status: str) -> None:
    assert head(status=status).length == 0


@pytest.mark.parametrize(
    ("lines", "requirement"),
    [
        (("Content-Length: 1", "Content-Length: 1"), "HTTP-2"),
        (("Content-Length: 5 bytes",), "HTTP-2"),
        (("Content-Length: -1",), "HTTP-2"),
        (("Content-Length: 1", "Transfer-Encoding: chunked"), "HTTP-2"),
        (("Transfer-Encoding: gzip, chunked",), "HTTP-2"),
        (("Content-Encoding: br",), "ENC-6"),
        (("no colon",), "HTTP-4"),
        (("Name : value",), "HTTP-4"),
    ],
)
def test_what_breaks_clients_is_refused_under_its_requirement(lines: tuple[str, ...], requirement: str) -> None:
    with pytest.raises(MalformedAnswerError) as refused:
        head(*lines)
    assert refused.value.requirement == requirement


@pytest.mark.parametrize("status", ["HTTP/2 200", "SSH-2.0-OpenSSH", "HTTP/1.1 20", "HTTP/1.1  200 OK", ""])
def test_what_is_no_status_line_is_refused(status: str) -> None:
    with pytest.raises(MalformedAnswerError, match="status line"):
        head(status=status)


def test_heads_are_remembered_but_not_for_ever() -> None:
    reader = HeadReader()
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2"
    assert reader.read(raw) is reader.read(raw)
    for number in range(2000):
        reader.read(b"HTTP/1.1 200 OK\r\nX-Request-Id: %d" % number)
    assert reader.read(raw) == parse_head(raw)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_chunks_are_put_together_however_the_bytes_come(size: int) -> None:
    raw = b'5;name="value"\r\nhello\r\n1\r\n \r\nB\r\nwide world!\r\n0\r\nX-Trailer: 1\r\n\r\n'
    chunks = ChunkedBody()
    for start in range(0, len(raw), size):
        chunks.feed(raw[start : start + size])
    assert (chunks.done, chunks.surplus, chunks.body) == (True, False, b"hello wide world!")


def test_bytes_behind_the_last_chunk_are_noticed() -> None:
    chunks = ChunkedBody()
    chunks.feed(b"0\r\n\r\nHTTP/1.1 200")
    assert chunks.done
    assert chunks.surplus


@pytest.mark.parametrize("raw", [b"zz\r\n", b"3\r\nabcd\r\n", b"-1\r\n", b"fffffffff\r\n", b"x" * 70_000])
def test_broken_chunks_are_refused(raw: bytes) -> None:
    with pytest.raises(MalformedAnswerError) as refused:
        ChunkedBody().feed(raw)
    assert refused.value.requirement == "HTTP-3"


def test_a_body_beyond_the_cap_is_refused_before_it_has_come() -> None:
    chunks = ChunkedBody()
    chunks.feed(b"fffffff\r\n")
    chunks.feed(b"x" * MAX_BODY)
    with pytest.raises(MalformedAnswerError, match="larger"):
        chunks.feed(b"x")


def test_gzip_is_unpacked() -> None:
    assert gunzip(gzip.compress(b"content")) == b"content"


def test_a_gzip_bomb_is_refused() -> None:
    with pytest.raises(MalformedAnswerError, match="larger"):
        gunzip(gzip.compress(b"\0" * (MAX_BODY + 1)))


@pytest.mark.parametrize("body", [b"plain", gzip.compress(b"content", mtime=0)[:-6]])
def test_gzip_that_is_none_or_cut_short_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedAnswerError) as refused:
        gunzip(body)
    assert refused.value.requirement == "ENC-7"
