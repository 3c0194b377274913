"""What is kept of an exchange once it is judged, and how faults among very many events are told."""

from __future__ import annotations

import gzip
import json

import pytest

from sendpoll.conformance.http.exchange import Exchange, Failure
from sendpoll.conformance.http.limits import KEPT_BYTES, LARGE_BODY
from tests.conformance.exchanges import HEADERS, polled, said, told, unanswered

TEXT = "你" * LARGE_BODY


def coded(content: str) -> Exchange:
    """A poll whose answer is compressed."""
    body = said({"data": {"status": content, "next_offset": 0, "events": []}})
    return told("pollTask", gzip.compress(body), headers=(*HEADERS, ("Content-Encoding", "gzip")))


def test_what_is_kept_as_evidence_holds_no_more_than_is_shown() -> None:
    exchange = polled(status=TEXT)
    size = len(said(exchange.content.value))
    kept = exchange.trimmed()
    assert kept.response is not None
    assert (len(kept.response.body), kept.response.size) == (KEPT_BYTES, size)
    assert (len(kept.content.text), kept.content.value, kept.content.parsed) == (KEPT_BYTES, None, False)


def test_the_beginning_of_a_coded_body_is_kept_as_it_reads() -> None:
    exchange = coded(TEXT)
    assert exchange.content.parsed
    assert exchange.trimmed().content.text.startswith('{"data": {"status": "你')


def test_of_many_and_long_headers_the_beginning_is_kept() -> None:
    headers = (("X-Long", "a" * 200_000), *(("X-Many", "b") for _ in range(200)))
    kept = told("pollTask", headers=headers).trimmed()
    assert kept.response is not None
    assert kept.response.header("x-long") == f"{'a' * 1024}..."
    assert len(kept.response.headers) == 100


def test_of_a_long_request_target_the_beginning_is_kept() -> None:
    exchanges = (unanswered(Failure.TIMEOUT, target="/" + "a" * 200_000), told("pollTask", target="/" + "a" * 200_000))
    assert [len(exchange.trimmed().request.target) for exchange in exchanges] == [KEPT_BYTES, KEPT_BYTES]


def test_what_is_kept_is_not_read_for_that() -> None:
    """To read a large body takes time, and behind the end of a run there is none."""
    kept = coded(TEXT).trimmed()
    assert "content" not in kept.__dict__


def test_a_large_body_is_let_go_and_what_it_says_is_not() -> None:
    exchange = polled(status=TEXT)
    assert exchange.content.parsed
    light = exchange.lightened()
    assert light.response is not None
    assert (len(light.response.body), len(light.content.text)) == (KEPT_BYTES, KEPT_BYTES)
    assert light.content.value["data"]["status"] == TEXT
    assert light.content.parsed


def test_a_small_body_stays() -> None:
    exchange = polled()
    assert exchange.content.parsed
    assert exchange.lightened() is exchange


@pytest.mark.parametrize("count", [1, 100, 101, 5000])
def test_a_fault_among_many_events_is_told_with_its_place(count: int) -> None:
    events = [{"type": "thinking"}] * (count - 1)
    found = polled(events=[*events, {"type": "text_chunk", "data": {"content": 5}}]).findings
    assert found == {"EVT-4": f"/data/events/{count - 1}/data/content: 5 is not of type string"}


def test_faults_beside_and_among_many_events_are_all_told() -> None:
    found = polled(next_offset=None, events=[{"type": "thinking"}] * 150 + [None] + [{}] * 150).findings
    assert found.keys() == {"POLL-3", "EVT-1", "EVT-2"}
    assert found["EVT-1"].startswith("/data/events/150: ")


def test_an_answer_of_nothing_but_wrong_events_is_told_by_the_first_of_them() -> None:
    """To explain each of them would take minutes."""
    found = polled(events=[{}] * 100_000).findings
    assert found.keys() == {"EVT-2"}
    assert int(found["EVT-2"].split("/")[3].split(":")[0]) < 2000


def test_an_answer_that_is_no_object_is_told_too() -> None:
    assert told("pollTask", json.dumps([{}] * 500).encode()).findings.keys() == {"POLL-1"}
