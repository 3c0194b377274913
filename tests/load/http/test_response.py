"""Heads are remembered, and what breaks a client is refused; which bytes do is the grammar's, and tested there."""

from __future__ import annotations

import pytest

from sendpoll.load.http.response import HeadReader, MalformedAnswerError

RAW = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"


def test_heads_are_remembered_but_not_for_ever() -> None:
    reader = HeadReader()
    first = reader.read(RAW)
    assert reader.read(RAW) is first
    for number in range(2000):
        reader.read(b"HTTP/1.1 200 OK\r\nX-Request-Id: %d\r\n" % number)
    assert len(reader.known) <= 512
    assert reader.read(RAW) == first


def test_every_fault_of_a_head_is_named() -> None:
    with pytest.raises(MalformedAnswerError) as refused:
        HeadReader().read(RAW + b"Content-Length: 2\r\nno colon\r\n")
    assert [fault.requirement for fault in refused.value.faults] == ["HTTP-4", "HTTP-2"]
    assert str(refused.value) == refused.value.faults[0].sentence


def test_what_is_no_http_is_refused() -> None:
    with pytest.raises(MalformedAnswerError, match=r"its first line is 'SSH-2\.0'") as refused:
        HeadReader().read(b"SSH-2.0\r\n")
    assert [fault.requirement for fault in refused.value.faults] == ["HTTP-4"]
