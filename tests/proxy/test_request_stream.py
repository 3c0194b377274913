"""Requests that go by: every byte comes out again, whatever it is and however it is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.proxy.request_stream import KEPT_BODY, Passing, RequestStream

OWN, SERVER = b"127.0.0.1:9000", b"agent.example"
GET = b"GET /api/v1/tasks/t?from=0 HTTP/1.1\r\nhost:  agent.example \r\nX: 1\r\n\r\n"
SIZED = b"POST /a HTTP/1.1\r\nHost: agent.example\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /b HTTP/1.1\r\nHost: agent.example\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=1\r\nllo\r\n0\r\n\r\n"
)
ODD = b"HELLO\r\n\r\n\x00\x01"


def stream() -> RequestStream:
    return RequestStream(frozenset({OWN, b"localhost:9000"}), SERVER)


def passed(*pieces: bytes) -> list[Passing]:
    requests = stream()
    found = [passing for piece in pieces for passing in requests.feed(piece)]
    rest = requests.rest()
    return [*found, *([Passing(rest)] if rest else [])]


@given(
    st.lists(st.sampled_from([GET, SIZED, CHUNKED]), max_size=4).map(b"".join),
    st.sampled_from([b"", ODD, GET[:20], SIZED[:-2]]),
    st.lists(st.integers(1, 40), max_size=60),
)
def test_every_byte_goes_by_in_its_order(requests: bytes, rest: bytes, cuts: list[int]) -> None:
    data, pieces = requests + rest, []
    left = data
    for cut in cuts:
        pieces.append(left[:cut])
        left = left[cut:]
    assert b"".join(passing.data for passing in passed(*pieces, left)) == data


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_requests_are_told_apart(size: int) -> None:
    data = GET + SIZED + CHUNKED + GET
    found = passed(*(data[start : start + size] for start in range(0, len(data), size)))
    begun = [passing.request for passing in found if passing.begins and passing.request is not None]
    assert [(one.method, one.target, bytes(one.body)) for one in begun] == [
        ("GET", "/api/v1/tasks/t?from=0", b""),
        ("POST", "/a", b"hello"),
        ("POST", "/b", b"hello"),
        ("GET", "/api/v1/tasks/t?from=0", b""),
    ]
    assert sum(passing.ends for passing in found) == 4
    assert [bytes(one.raw) for one in begun] == [GET, SIZED, CHUNKED, GET]


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        (b"Host: 127.0.0.1:9000\r\n", b"Host: agent.example\r\n"),
        (b"hOST:\tLOCALHOST:9000 \r\n", b"hOST:\tagent.example \r\n"),
        (b"Host: other.example\r\n", b"Host: other.example\r\n"),
        (b"Host: 127.0.0.1:9000\r\nHost: 127.0.0.1:9000\r\n", b"Host: 127.0.0.1:9000\r\nHost: 127.0.0.1:9000\r\n"),
        (b"X-Host: 127.0.0.1:9000\r\n", b"X-Host: 127.0.0.1:9000\r\n"),
    ],
)
def test_the_one_host_that_names_the_proxy_becomes_the_servers(host: bytes, sent: bytes) -> None:
    (passing,) = passed(b"GET / HTTP/1.1\r\nA: 1\r\n" + host + b"B: 2\r\n\r\n")
    assert passing.data == b"GET / HTTP/1.1\r\nA: 1\r\n" + sent + b"B: 2\r\n\r\n"


def test_a_long_body_is_passed_and_not_kept() -> None:
    size = KEPT_BODY + 10
    head = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % size
    found = passed(head, b"x" * 100, b"x" * (size - 100))
    assert sum(len(passing.data) for passing in found) == len(head) + size
    assert found[0].request is not None
    assert not found[0].request.is_kept
