"""What is said of traffic: the rows that it breaks, those that it cannot tell, and whose fault it was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sendpoll.conformance.http.exchange import Failure
from sendpoll.conformance.recordings.recorded_exchange import Facet, RecordedExchange
from sendpoll.conformance.recordings.traffic_judge import TrafficJudge
from sendpoll.conformance.reporting.html import html_report
from sendpoll.conformance.reporting.junit import junit_report
from sendpoll.conformance.reporting.markdown import markdown_summary
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.core.oracle import Poll
from sendpoll.core.reports.files import require_schema
from tests.conformance.recordings.exchanges import NOON, TOKEN, URL, recorded
from tests.conformance.recordings.talk import OPENING, RIGHT, failed, judged, news, polls, verdicts


def test_right_traffic_is_nobodys_fault() -> None:
    report = judged(RIGHT)
    told = verdicts(report)
    assert failed(report) == set()
    assert (report["fault"]["whose"], report["exit_code"]) == ("none", 0)
    assert {told[row] for row in ("WS-3", "CONV-1", "MSG-1", "POLL-1", "POLL-5", "POLL-8", "C-7", "C-11", "C-38")} == {
        "pass"
    }
    assert told["REQ-1"] == "not_exercised"
    assert told["C-1"] == "not_recorded"
    assert report["target"]["url"] == URL


def test_the_report_follows_its_schema_and_can_be_shown() -> None:
    report = judged((*OPENING, *polls((0, news(0, "one")), (0, news(1, "one", status="completed")))))
    require_schema(report, "report.json", "the report")
    for text in (html_report(report), junit_report(report), markdown_summary(report)):
        assert "POLL-5" in text
        assert TOKEN not in text


_SERVER: dict[str, Any] = {
    "POLL-5": [(0, news(0, "one")), (0, news(1, "one", status="completed"))],
    "POLL-7": [(0, news(1, "one", status="completed")), (1, news(2, "two"))],
    "POLL-8": [(0, news(1, "one", status="completed")), (1, news(2, "two", status="completed"))],
    "POLL-3": [(0, {"data": {"status": "running", "next_offset": 1.0, "events": []}})],
    "POLL-2": [(0, {"data": {"status": "running", "events": []}})],
    "POLL-1": [(0, {"nothing": 1}), (0, news(1, "one", status="completed"))],
    "MSG-2": [(0, 404), (0, news(1, "one", status="completed"))],
    "POLL-6": [
        (0, news(1, "one of")),
        (1, news(2, "one of these")),
        (2, news(3, "one of these days")),
        (3, news(4, "one of these days it", status="completed")),
    ],
}


@pytest.mark.parametrize("row", _SERVER)
def test_a_servers_fault_is_the_servers(row: str) -> None:
    report = judged((*OPENING, *polls(*_SERVER[row])))
    assert row in failed(report)
    assert report["fault"]["whose"] == "server"
    assert report["exit_code"] == 1


def moved(one: RecordedExchange, by: float) -> RecordedExchange:
    timing = one.timing
    later = replace(timing, started=timing.started + by, finished=timing.finished + by)
    return replace(one, timing=later)


def refusal(status: int) -> Any:
    return recorded("GET", "/", {"error": {"code": "no", "message": "no"}}, status=status).response


FORM = replace(OPENING[2], request_headers=OPENING[2].request_headers[:1], response=refusal(415))
LOST = replace(OPENING[2], response=None, failure=Failure.TIMEOUT)
WITH_TOKEN = f"/api/v1/tasks/Task-of-the-recording?from=4&token={TOKEN}"
_CLIENT: dict[str, list[RecordedExchange]] = {
    "C-7": [*OPENING, *polls((1, news(1)), (1, news(2, "two", status="completed")))],
    "C-11": [*OPENING, *polls((0, news(1, "one", status="failed")), *[(1, news(1, status="failed"))] * 5)],
    "C-13": [*OPENING, *polls(*[(0, news(0))] * 8, (0, news(1, "one", status="completed")), pause=0.02)],
    "C-17": [*OPENING[:2], LOST, moved(OPENING[2], 1.0)],
    "C-19": [recorded("POST", "/api/v1/workspaces/w/conversations", {"error": {}}, status=404), *OPENING],
    "C-20": [*OPENING, *polls((0, 404), task="task-of-the-recording")],
    "C-31": [*OPENING, *polls((0, 404), task="undefined")],
    "C-34": [*RIGHT, recorded("GET", WITH_TOKEN, news(4, status="completed"), at=9)],
    "C-38": [*OPENING[:2], FORM],
}
"""Right servers, each with a client that breaks a row."""


@pytest.mark.parametrize("row", _CLIENT)
def test_a_clients_fault_is_the_clients(row: str) -> None:
    report = judged(_CLIENT[row])
    assert row in failed(report)
    assert report["fault"]["whose"] == "client"


def test_a_misled_client_is_not_at_fault() -> None:
    """It asks with what it was told: nothing."""
    lost = {"data": {"status": "running", "events": []}}
    report = judged((*OPENING, *polls((0, news(1, "one")), (1, lost), (0, news(1, "one", status="completed")))))
    assert report["fault"]["whose"] == "server"


def test_readers_that_come_again_are_no_fault() -> None:
    """A page that is loaded anew reads from the start."""
    again = polls((0, news(4, "one ", "two ", "three", ".", status="completed")), at=5.0)
    assert judged((*RIGHT, *again))["fault"]["whose"] == "none"


def test_what_was_not_recorded_is_told_so() -> None:
    without = frozenset({Facet.FRAMING, Facet.RESPONSE_BODY, Facet.BODY_BYTES})
    cut = [replace(one, lacks=without, response=one.response and replace(one.response, body=b"")) for one in RIGHT]
    told = verdicts(judged(cut))
    assert {told[row] for row in ("POLL-1", "POLL-5", "EVT-4", "JSON-2", "HTTP-1", "ENC-1")} == {"not_recorded"}
    assert told["WS-3"] == "pass"
    assert failed(judged(cut)) == set()


def test_other_traffic_and_other_servers_are_left_out_with_a_word() -> None:
    other = replace(RIGHT[0], url="https://other.example/api/v1/workspaces")
    foreign = replace(RIGHT[0], url="https://agent.example/assets/app.js")
    report = judged((*RIGHT, other, foreign))
    told = " ".join(report["notes"])
    assert "https://other.example" in told
    assert "1 exchange left out" in told
    assert judged((*RIGHT, other), base_url="https://other.example")["requests"] == 1


def test_nothing_can_be_said_of_a_recording_without_calls() -> None:
    report = judged([replace(RIGHT[0], url="https://agent.example/")])
    assert (report["exit_code"], report["fault"]["whose"]) == (3, "unknown")
    require_schema(report, "report.json", "the report")


def test_polls_out_of_order_are_held_against_nothing() -> None:
    judge = TrafficJudge(Judgement())
    for one in OPENING:
        judge.add(one)
    for one in polls((0, news(1, "one", status="completed")), (0, news(1, "two", status="completed"))):
        judge.add(one, in_order=False)
    report = judge.report()
    assert "POLL-5" not in failed(report)
    assert any("go back" in note for note in report["notes"])


def test_polls_alone_are_judged_by_the_oracle() -> None:
    judge = TrafficJudge(Judgement())
    judge.add_poll(URL, "t", Poll(0, NOON, NOON + 0.1, "completed", [None], 1))
    found = judge.add_poll(URL, "t", Poll(1, NOON + 1, NOON + 1.1, "running", [None], 2))
    assert {seen.requirement for seen in found} == {"POLL-7"}
    assert failed(judge.report()) == {"POLL-7"}


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 3)])
def test_strict_leaves_open_what_was_not_exercised(strict: bool, code: int) -> None:
    assert judged(RIGHT, judgement=Judgement(strict=strict))["exit_code"] == code


def test_a_refused_token_is_the_servers_fault_once_it_is_taken_again() -> None:
    refused = polls((0, 401), (0, news(1, "one", status="completed")))
    assert "POLL-1" in failed(judged((*OPENING, *refused)))
    assert failed(judged((*OPENING, *refused[:1]))) == set()
