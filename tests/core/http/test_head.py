"""What a head means: where the body ends, whether the connection lives on, what the values are."""

from __future__ import annotations

import pytest

from sendpoll.core.http.head import Framing, Head, parse_head


def head(*lines: str, status: str = "HTTP/1.1 200 OK") -> Head:
    return parse_head("".join(f"{line}\r\n" for line in (status, *lines)).encode("latin-1"))


def test_a_plain_head() -> None:
    parsed = head("Content-Type: application/json", "content-LENGTH: 12", "Location: /a", "Content-Encoding: GZip")
    assert (parsed.status, parsed.reason, parsed.version) == (200, "OK", "1.1")
    assert (parsed.framing, parsed.length, parsed.keeps_alive) == (Framing.LENGTH, 12, True)
    assert (parsed.coding, parsed.location, parsed.faults) == ("gzip", "/a", ())
    assert parsed.headers[1] == ("content-LENGTH", "12")


@pytest.mark.parametrize(
    ("status", "lines", "expected"),
    [
        ("HTTP/1.1 200 OK", ("Content-Length: 0",), True),
        ("HTTP/1.1 200 OK", ("Content-Length: 0", "Connection: Close"), False),
        ("HTTP/1.1 200 OK", ("Content-Length: 0", "Connection: x, close"), False),
        ("HTTP/1.1 200 OK", ("Content-Length: 0", "Connection: enclosed"), True),
        ("HTTP/1.0 200 OK", ("Content-Length: 0",), False),
        ("HTTP/1.0 200 OK", ("Content-Length: 0", "Connection: keep-alive"), True),
        ("HTTP/1.1 200", (), False),
        ("HTTP/1.1 200 ", ("Transfer-Encoding: chunked",), True),
    ],
)
def test_a_connection_serves_again_only_if_both_sides_know_where_the_body_ends(
    status: str, lines: tuple[str, ...], expected: bool
) -> None:
    assert head(*lines, status=status).keeps_alive is expected


@pytest.mark.parametrize("status", ["HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified", "HTTP/1.1 103 Early Hints"])
def test_answers_that_never_have_a_body(status: str) -> None:
    parsed = head("Content-Length: 5", status=status)
    assert (parsed.framing, parsed.length) == (Framing.NONE, 0)


def test_a_folded_value_is_one_line() -> None:
    assert head("X-Name: a", "\t b", "  c ").headers == (("X-Name", "a b c"),)


def test_a_flood_of_lines_is_read_as_far_as_it_says_anything() -> None:
    parsed = head(*["no colon"] * 10_000)
    assert len(parsed.faults) <= 401
    assert any("10000 header lines" in fault.sentence for fault in parsed.faults)


@pytest.mark.parametrize(
    ("coding", "transfer"), [("gzip, chunked", "gzip"), ("identity", ""), ("chunked", ""), ("Deflate", "deflate")]
)
def test_what_lies_beneath_the_chunks_is_told(coding: str, transfer: str) -> None:
    assert head(f"Transfer-Encoding: {coding}").transfer_coding == transfer
