"""Recordings of each format are read, within bounds; what cannot be is told in words, and never with a traceback."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendpoll.conformance.recordings.judge_files import judge_files
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.recordings.writing.har_writer import HarWriter
from sendpoll.conformance.recordings.writing.ndjson_writer import NdjsonWriter
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.results.report_json import Report
from sendpoll.core.files.errors import FileError
from sendpoll.core.reports.files import json_text
from tests.conformance.recordings.talk import OPENING, RIGHT, failed, judged, news, polls, verdicts

STUCK = (*OPENING, *polls((0, news(0, "one")), (0, news(1, "one", status="completed"))))


def report_on(*paths: Path) -> Report:
    return judge_files(paths, TrafficJudge(Judgement()), lambda _: None, lambda: True)


def as_har(path: Path, exchanges: Any) -> Path:
    with path.open("w") as stream:
        writer = HarWriter(stream)
        for one in exchanges:
            writer.add(one)
        writer.close()
    return path


def as_ndjson(path: Path, exchanges: Any) -> Path:
    with path.open("w") as stream:
        writer = NdjsonWriter(stream)
        for one in exchanges:
            writer.add(one)
    return path


FORMATS: dict[str, Callable[[Path, Any], Path]] = {"har": as_har, "ndjson": as_ndjson}


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_says_what_the_traffic_says(name: str, tmp_path: Path) -> None:
    assert failed(report_on(FORMATS[name](tmp_path / "right", RIGHT))) == set()
    report = report_on(FORMATS[name](tmp_path / "stuck", STUCK))
    assert failed(report) == failed(judged(STUCK)) == {"POLL-5"}
    assert report["fault"]["whose"] == "server"


def test_our_own_report_is_a_recording_too(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(json_text(judged(STUCK)))
    assert failed(report_on(path)) == {"POLL-5"}


def test_an_answer_is_not_held_against_the_number_of_events_in_another(tmp_path: Path) -> None:
    float_offset = {"data": {"status": "running", "next_offset": 1.0, "events": news(1, "one")["data"]["events"]}}
    path = tmp_path / "report.json"
    told = judged((*OPENING, *polls((0, float_offset), (1, news(1, status="completed")))))
    path.write_text(json_text(told))
    assert failed(report_on(path)) == failed(told) == {"POLL-3"}


def test_a_log_of_load_says_what_its_users_saw(tmp_path: Path) -> None:
    right = {"step": 0, "outcome": "finished", "polls": 4, "events": 3, "violations": []}
    wrong = {**right, "violations": [{"requirement": "POLL-8", "sentence": "2 events are missing"}]}
    path = tmp_path / "tasks.jsonl"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in (right, wrong, right)))
    report = report_on(path)
    assert failed(report) == {"POLL-8"}
    assert verdicts(report)["POLL-5"] == "pass"


def test_a_har_has_no_framing_and_says_so(tmp_path: Path) -> None:
    told = verdicts(report_on(as_har(tmp_path / "a.har", RIGHT)))
    assert {told[row] for row in ("HTTP-1", "HTTP-3", "ENC-7")} == {"not_recorded"}
    assert told["POLL-1"] == "pass"


def test_several_files_are_judged_as_one(tmp_path: Path) -> None:
    first, second = as_har(tmp_path / "1.har", RIGHT[:4]), as_ndjson(tmp_path / "2.ndjson", RIGHT[4:])
    report = report_on(second, first)
    assert report["requests"] == len(RIGHT)
    assert failed(report) == set()
    assert report["tasks"][0]["final_status"] == "completed"


def entry(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "startedDateTime": "2027-01-15T08:00:00.300Z",
        "time": 10,
        "request": {
            "method": "GET",
            "url": "https://agent.example/base/api/v1/tasks/t?from=0",
            "headers": [
                {"name": "Host", "value": "agent.example"},
                {"name": ":path", "value": "/"},
                {"name": "Accept-Encoding", "value": "gzip"},
            ],
            "bodySize": 0,
        },
        "response": {
            "status": 200,
            "httpVersion": "h2",
            "headers": [
                {"name": "content-type", "value": "application/json; charset=utf-8"},
                {"name": "content-encoding", "value": "gzip"},
                {"name": "cache-control", "value": "no-store"},
            ],
            "content": {"size": 9, "text": json.dumps(news(1, "one", status="completed"))},
        },
    }
    for path, value in changes.items():
        holder = made
        *above, last = path.split("__")
        for part in above:
            holder = holder[part]
        holder[last] = value
    return made


def har(tmp_path: Path, *entries: Any) -> Path:
    path = tmp_path / "made.har"
    path.write_text(json.dumps({"log": {"version": "1.2", "pages": [], "entries": list(entries)}}))
    return path


def test_http_2_and_codings_that_the_browser_has_undone(tmp_path: Path) -> None:
    told = verdicts(report_on(har(tmp_path, entry())))
    assert told["POLL-1"] == "pass"
    assert told["ENC-7"] == "not_recorded"


def test_bodies_in_base64_and_bodies_that_are_missing(tmp_path: Path) -> None:

    text = base64.b64encode(json.dumps(news(1, "one")).encode()).decode()
    coded = entry(response__content={"size": 9, "text": text, "encoding": "base64"})
    assert verdicts(report_on(har(tmp_path, coded)))["POLL-1"] == "pass"
    missing = entry(response__content={"size": 900, "mimeType": "application/json"})
    report = report_on(har(tmp_path, missing))
    assert verdicts(report)["POLL-1"] == "not_recorded"
    assert failed(report) == set()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"response__content": {"size": 9, "text": "%%", "encoding": "base64"}}, "base64"),
        ({"_fromCache": "disk"}, "cache"),
        ({"startedDateTime": "yesterday"}, "yesterday"),
        ({"request": None}, "no request"),
        ({"request__url": "data:text/html,x"}, "none of HTTP"),
    ],
)
def test_an_entry_that_is_left_out_is_told_with_its_place(changes: dict[str, Any], why: str, tmp_path: Path) -> None:
    report = report_on(har(tmp_path, entry(), entry(**changes)))
    (note,) = [note for note in report["notes"] if "left out" in note]
    assert why in note
    assert "entry 2" in note
    assert report["requests"] == 1


@pytest.mark.parametrize(("error", "row"), [("net::ERR_EMPTY_RESPONSE", "HTTP-7"), ("net::ERR_ABORTED", None)])
def test_who_let_go_of_an_unanswered_request(error: str, row: str | None, tmp_path: Path) -> None:
    unanswered = entry(response={"status": 0, "headers": [], "content": {}, "_error": error})
    assert failed(report_on(har(tmp_path, unanswered))) == ({row} if row else set())


def test_a_clock_that_goes_back_blames_nobody(tmp_path: Path) -> None:
    def poll(at: str, **said: Any) -> dict[str, Any]:
        content = {"size": 9, "text": json.dumps(news(1, "one", **said))}
        return entry(startedDateTime=f"2027-01-15T08:00:{at}Z", response__content=content)

    report = report_on(har(tmp_path, poll("10.0"), poll("05.0", status="completed"), poll("06.0", status="completed")))
    assert failed(report) == set()
    assert any("go back" in note for note in report["notes"])


@pytest.mark.parametrize("name", FORMATS)
def test_a_recording_that_breaks_off_is_judged_up_to_there(name: str, tmp_path: Path) -> None:
    path = FORMATS[name](tmp_path / "whole", RIGHT)
    path.write_bytes(path.read_bytes()[:-400])
    report = report_on(path)
    assert 0 < report["requests"] < len(RIGHT)
    assert any("breaks off" in note for note in report["notes"])


@pytest.mark.parametrize("name", FORMATS)
def test_bytes_that_are_no_utf_8_end_or_cost_a_line(name: str, tmp_path: Path) -> None:
    path = FORMATS[name](tmp_path / "whole", RIGHT)
    raw = path.read_bytes()
    at = raw.rindex(b"completed")
    path.write_bytes(raw[:at] + b"\xff" + raw[at + 1 :])
    report = report_on(path)
    assert report["requests"] == len(RIGHT) - 1
    assert any("UTF-8" in note for note in report["notes"])


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "empty"),
        (b"   \n", "empty"),
        (b"\x1f\x8b\x08", "gunzip"),
        (b"PK\x03\x04xx", "unpack"),
        (b"\xff\xfe{\0", "UTF-16"),
        (b"<html>", "none of the recordings"),
        (b'{"some": "thing"}', "none of the recordings"),
        (b'{"schema_version": 1}', "missing"),
    ],
)
def test_what_is_no_recording_is_refused_by_name(raw: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(raw)
    with pytest.raises(FileError, match=why) as refused:
        report_on(path)
    assert str(path) in str(refused.value)


def test_nothing_nests_without_end(tmp_path: Path) -> None:
    path = tmp_path / "deep.har"
    path.write_text('{"log": {"entries": [' + "[" * 200_000)
    assert any("nests" in note for note in report_on(path)["notes"])


_JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_PLACES = (
    "startedDateTime", "time", "timings", "connection", "pageref", "request", "response", "request__method",
    "request__url", "request__headers", "request__postData", "request__bodySize", "response__status",
    "response__headers", "response__content", "response__httpVersion", "response__statusText", "response___error",
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(_PLACES), junk=_JUNK, content=_JUNK)
def test_no_har_leads_to_a_traceback(place: str, junk: Any, content: Any, tmp_path: Path) -> None:
    report_on(
        har(tmp_path, entry(), entry(**{place: junk}), entry(response__content={"text": json.dumps(content)}), junk)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_cut_or_bent_file_leads_to_a_traceback(data: st.DataObject, tmp_path: Path) -> None:
    name = data.draw(st.sampled_from(sorted(FORMATS)))
    raw = bytearray(FORMATS[name](tmp_path / "whole", RIGHT).read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=4)):
        raw[at] = data.draw(st.integers(0, 255))
    path = tmp_path / "bent"
    path.write_bytes(bytes(raw[: data.draw(st.integers(1, len(raw)))]))
    with contextlib.suppress(FileError):
        report_on(path)
