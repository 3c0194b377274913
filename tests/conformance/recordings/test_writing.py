"""A recording as NDJSON is read back as it was, and as HAR it is what HAR 1.2 asks for; secrets are in neither."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from sendpoll.conformance.http.exchange import Failure, Response
from sendpoll.conformance.recordings.exchange_json import UnusableError, from_json, moment, to_json
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.conformance.recordings.writing.har_writer import HarWriter
from sendpoll.conformance.recordings.writing.ndjson_writer import NdjsonWriter
from sendpoll.core.http.head import Fault, Framing
from sendpoll.core.reports.files import require_schema
from tests.conformance.recordings.exchanges import NOON, TOKEN, recorded

PLAIN = recorded("POST", "/api/v1/workspaces", {"ok": True}, said={"workspace_id": "w"})
ODD = replace(
    PLAIN,
    connection="7",
    client="127.0.0.1",
    response=Response(
        status=200,
        reason="Fine",
        version="1.0",
        headers=(("Content-Encoding", "gzip"),),
        body=b"\x1f\x8b\xff",
        complete=False,
        faults=(Fault("HTTP-3", "the last chunk is missing"),),
        framing=Framing.CHUNKED,
        surplus=b"\0more",
    ),
    failure=Failure.CLOSED,
    detail="in the middle of the body",
)
SILENT = replace(PLAIN, response=None, failure=Failure.GARBAGE, stray=(Fault("HTTP-4", "no HTTP answer"),))
LEFT = replace(PLAIN, response=None, abandoned=True)
WITHOUT = replace(
    PLAIN,
    request_body=None,
    response=PLAIN.response and replace(PLAIN.response, body=b""),
    lacks=frozenset({Facet.FRAMING, Facet.RESPONSE_BODY, Facet.REQUEST_BODY}),
)
ALL = (PLAIN, ODD, SILENT, LEFT, WITHOUT)


@pytest.mark.parametrize("one", ALL)
def test_a_line_loses_nothing(one: RecordedExchange) -> None:
    told = to_json(one)
    require_schema(told, "recorded-exchange.json", "a line")
    read = from_json(json.loads(json.dumps(told)), one.place)
    assert replace(read, timing=one.timing) == one
    assert read.timing.started == pytest.approx(NOON, abs=1e-5)
    assert read.timing.longest_pause == pytest.approx(one.timing.longest_pause, abs=1e-5)


def test_moments_are_of_rfc_3339() -> None:
    assert moment("2027-01-15T08:00:00Z") == moment("2027-01-15T09:00:00+01:00") == NOON
    with pytest.raises(UnusableError, match="yesterday"):
        moment("yesterday")


def test_a_recording_in_ndjson_holds_no_token() -> None:
    stream = io.StringIO()
    writer = NdjsonWriter(stream, secrets=["another-secret"])
    echo = recorded("GET", f"/api/v1/tasks/t?from=0&token={TOKEN}", {"you": TOKEN, "know": "another-secret"})
    writer.add(echo)
    writer.add(ODD)
    writer.close()
    assert TOKEN not in stream.getvalue()
    assert "another-secret" not in stream.getvalue()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert ["Authorization", "Bearer [token]"] in json.loads(lines[0])["request"]["headers"]


def test_a_har_is_whole_and_holds_no_token() -> None:
    stream = io.StringIO()
    writer = HarWriter(stream)
    for one in ALL:
        writer.add(one)
    writer.close()
    assert TOKEN not in stream.getvalue()
    log = json.loads(stream.getvalue())["log"]
    assert log["version"] == "1.2"
    first, odd, silent, left, without = log["entries"]
    assert json.loads(first["response"]["content"]["text"]) == {"ok": True}
    assert json.loads(first["request"]["postData"]["text"]) == {"workspace_id": "w"}
    assert odd["response"]["content"]["encoding"] == "base64"
    assert silent["response"]["status"] == 0
    assert left["response"]["_error"] == "the client left"
    assert "text" not in without["response"]["content"]
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= entry.keys()
        assert {"bodySize", "headersSize", "cookies", "headers", "httpVersion"} <= entry["response"].keys()
