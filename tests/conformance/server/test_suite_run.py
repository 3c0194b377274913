"""Whole runs of the suite against the reference server."""

from __future__ import annotations

import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from click.testing import CliRunner

from sendpoll.cli.main import cli
from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.results.judgement import Judgement
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.dry_run import describe_run
from sendpoll.conformance.server.plugin import RunOptions
from sendpoll.conformance.server.probing.listener import Silence
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.suite_run import check
from sendpoll.core.target.target import Target, Timeouts
from sendpoll.core.validation import validator
from sendpoll.schemas.catalogue import load_catalogue
from tests.conformance.raw_server import RawServer, always, reply, serving
from tests.conformance.reference import OTHER_TOKEN, TOKEN, Reference, reference


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[Reference]:
    with reference() as server:
        yield server


@pytest.fixture(name="target")
def _target(server: Reference) -> Target:
    return Target(base_url=server.url, token=TOKEN, second_token=OTHER_TOKEN)


def run(target: Target, *only: str, seed: int = 7, examples: int = 10, level: Any = "should") -> Any:
    """The report of a run that judges these rows; all of them if none is named."""
    rows = frozenset(only)
    report = check(target, RunOptions(seed, examples, rows), Judgement(level, only=rows))
    validator("files/report.json").validate(report)
    return report


def verdicts(report: Any) -> dict[str, str]:
    return {row["id"]: row["verdict"] for row in report["requirements"]}


@dataclass
class Heard(Silence):
    """A listener that keeps what it is told."""

    phases: list[str] = field(default_factory=list)
    rows: int = 0
    failed: int = 0
    requests: int = 0

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def row(self, *, failed: bool = False) -> None:
        self.rows += 1
        self.failed += failed

    def request(self) -> None:
        self.requests += 1


# ---- a whole run ----


@pytest.fixture(name="whole", scope="module")
def _whole(server: Reference) -> tuple[Any, Heard, int]:
    """A whole run: its report, what its listener heard, and the messages that the server took."""
    target = Target(base_url=server.url, token=TOKEN, second_token=OTHER_TOKEN)
    heard, before = Heard(), server.messages
    report = check(target, RunOptions(7, 10), Judgement(), heard)
    return report, heard, server.messages - before


def test_the_reference_server_is_conformant(whole: tuple[Any, Heard, int]) -> None:
    report = whole[0]
    assert [row for row in report["requirements"] if row["verdict"] != "pass"] == []
    assert (report["verdict"], report["exit_code"]) == ("conformant", 0)


def test_a_report_follows_its_schema(whole: tuple[Any, Heard, int]) -> None:
    validator("files/report.json").validate(whole[0])


def test_every_row_has_a_check_or_a_reason(whole: tuple[Any, Heard, int]) -> None:
    report, catalogue = whole[0], load_catalogue()
    assert [row["id"] for row in report["requirements"]] == [row.id for row in catalogue.checked if not row.asked_by]
    assert [row["id"] for row in report["requirements"] if not row["checks"]] == []
    assert [(row["id"], row["reason"]) for row in report["excluded"]] == [
        (row.id, row.excluded or f"asked only with {row.asked_by}")
        for row in catalogue.rows
        if row.excluded or row.asked_by
    ]


def test_each_row_was_exercised(whole: tuple[Any, Heard, int]) -> None:
    assert [row["id"] for row in whole[0]["requirements"] if not row["exercised"]] == []


def test_messages_are_counted_as_the_server_counts_them(whole: tuple[Any, Heard, int]) -> None:
    report, _, taken = whole
    assert report["messages_sent"] == taken <= 16
    assert len(report["left_behind"]["tasks"]) == taken


def test_a_listener_hears_of_every_row_and_request(whole: tuple[Any, Heard, int]) -> None:
    report, heard, _ = whole
    assert (heard.rows, heard.failed) == (len(report["requirements"]), 0)
    assert heard.requests == report["requests"]
    assert heard.phases[-1] == "traffic"


def test_no_token_is_in_a_report(whole: tuple[Any, Heard, int]) -> None:
    assert TOKEN not in str(whole[0])
    assert OTHER_TOKEN not in str(whole[0])


# ---- what a run is told ----


def test_only_the_rows_that_are_asked_for_are_judged(target: Target) -> None:
    report = run(target, "REQ-1", "METHOD-1")
    assert verdicts(report) == {"REQ-1": "pass", "METHOD-1": "pass"}
    assert report["exit_code"] == 0


def test_a_should_row_alone_can_be_judged(target: Target) -> None:
    report = run(target, "NF-3")
    assert (verdicts(report), report["exit_code"]) == ({"NF-3": "pass"}, 0)


def test_at_level_must_no_should_row_is_told(target: Target) -> None:
    assert verdicts(run(target, "REQ-1", "METHOD-1", level="must")) == {"REQ-1": "pass"}


def test_a_row_that_is_declared_not_to_apply_is_neither_run_nor_green(target: Target) -> None:
    report = run(replace(target, not_applicable={"NF-3": "a proxy answers"}), "NF-3", "REQ-1")
    row = next(row for row in report["requirements"] if row["id"] == "NF-3")
    assert (row["verdict"], row["reason"], report["exit_code"]) == ("not_applicable", "a proxy answers", 0)


def test_a_run_in_which_no_row_applies_says_nothing(target: Target) -> None:
    report = run(replace(target, not_applicable={"REQ-1": "there are no workspaces"}), "REQ-1")
    assert (report["verdict"], report["exit_code"]) == ("undetermined", 3)


def test_without_a_second_token_ownership_does_not_apply(target: Target) -> None:
    report = run(replace(target, second_token=None), "OWN-1", "OWN-2", "REQ-1")
    assert verdicts(report) == {"OWN-1": "not_applicable", "OWN-2": "not_applicable", "REQ-1": "pass"}


@pytest.mark.parametrize("limit", [1, 3])
def test_no_message_goes_past_the_limit(server: Reference, target: Target, limit: int) -> None:
    before = server.messages
    report = run(replace(target, max_messages=limit), examples=4)
    assert server.messages - before == report["messages_sent"] <= limit
    assert "fail" not in verdicts(report).values()
    unexercised = [row for row in report["requirements"] if row["verdict"] == "not_exercised"]
    assert any("--max-messages" in row["reason"] for row in unexercised)
    assert report["exit_code"] == (3 if limit < 3 else 0)  # three are enough for all that a client needs


def test_a_server_that_takes_messages_in_silence_is_sent_no_more_than_the_limit() -> None:
    """It may be working on every one of them, and bill it."""

    def handle(server: RawServer, connection: socket.socket) -> None:
        answers = {b"/workspaces ": {}, b"/conversations ": {"conversation_id": "c"}}
        while head := connection.recv(65_536):
            server.requests.append(head)
            for path, body in answers.items():
                if path in head.partition(b"\r\n")[0]:
                    connection.sendall(reply(body))

    with serving(handle) as server:
        target = Target(base_url=server.url, token="t-of-mine", max_messages=1, timeouts=Timeouts(exchange=0.5, run=20))
        report = run(target, "MSG-1")
        assert len([head for head in server.requests if b"/messages " in head.partition(b"\r\n")[0]]) == 1
        assert report["exit_code"] == 3


# ---- seeds ----


EXAMPLES = 30
IDS = re.compile(r"(task|conv)[-_][0-9A-Za-z_-]+")


@dataclass
class Sent:
    """What a run sends, the server's own ids aside."""

    fuzzed: list[str] = field(default_factory=list)
    """Bodies and offsets that are drawn, in order."""
    messages: Counter[str] = field(default_factory=Counter)
    """In any order: readers and senders are at work at once."""


@pytest.fixture(name="sent", scope="module")
def _sent(server: Reference) -> dict[str, Sent]:
    """What three runs sent, two of them with one seed."""
    target = Target(base_url=server.url, token=TOKEN)
    return {name: _sent_with(target, seed) for name, seed in (("once", 11), ("again", 11), ("other", 12))}


def _sent_with(target: Target, seed: int) -> Sent:
    sent = Sent()
    record = Recorder._record

    def noted(self: Recorder, *args: Any) -> Exchange:
        exchange = record(self, *args)
        request = exchange.request
        body = IDS.sub("ID", (request.body or b"").decode("utf-8", "backslashreplace"))
        if request.probe in {"body", "from"} and threading.current_thread() is threading.main_thread():
            sent.fuzzed.append(f"{request.method} {IDS.sub('ID', request.target)} {body}")
        elif request.operation == "sendMessage":
            sent.messages[body] += 1
        return exchange

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Recorder, "_record", noted)
        run(target, "BODY-2", "FROM-2", seed=seed, examples=EXAMPLES)
    return sent


def test_the_same_seed_sends_the_same(sent: dict[str, Sent]) -> None:
    assert len(sent["once"].fuzzed) >= EXAMPLES
    assert sent["once"] == sent["again"]


def test_another_seed_sends_something_else(sent: dict[str, Sent]) -> None:
    assert sent["once"].fuzzed != sent["other"].fuzzed
    assert sent["once"].messages != sent["other"].messages


# ---- ends that are none ----


@pytest.mark.parametrize("deadline", [0.05, 0.4, 1.0])
def test_a_deadline_leaves_the_rest_unexercised_and_blames_nobody(target: Target, deadline: float) -> None:
    report = run(replace(target, timeouts=Timeouts(run=deadline)))
    assert report["exit_code"] == 3
    assert set(verdicts(report).values()) <= {"pass", "not_exercised", "not_applicable"}
    assert any("--deadline" in note for note in report["notes"])


def test_a_server_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    report = run(Target(base_url=f"http://127.0.0.1:{port}", token="t"))
    assert report["exit_code"] == 3
    assert report["summary"] == f"Nothing can be said: cannot connect to http://127.0.0.1:{port}: Connection refused."
    assert set(verdicts(report).values()) <= {"not_exercised", "not_applicable", "inconclusive"}


def test_a_token_that_is_refused(server: Reference) -> None:
    report = run(Target(base_url=server.url, token="wrong"))
    assert report["exit_code"] == 3
    assert "refused the token with 401" in report["summary"]
    assert "--token" in report["summary"]


def test_a_server_that_answers_everything_with_nothing() -> None:
    with serving(always(reply({}))) as server:
        report = run(Target(base_url=server.url, token="t"), "CONV-1", "POLL-5")
    assert (report["exit_code"], verdicts(report)) == (1, {"CONV-1": "fail", "POLL-5": "not_exercised"})


def test_a_suite_that_breaks_says_so_and_nothing_else(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"with {TOKEN} at hand")

    monkeypatch.setattr(CheckResult, "judge", broken)
    report = run(target, "METHOD-1", "REQ-1")
    assert (report["verdict"], report["exit_code"]) == ("undetermined", 4)
    assert "The suite itself broke" in report["summary"]
    assert any("ZeroDivisionError" in note for note in report["notes"])
    assert TOKEN not in str(report)


def test_ids_of_any_characters_do_not_break_the_suite() -> None:
    """Half a surrogate pair is what a path, a file or a terminal cannot hold as it is."""

    def handle(_: RawServer, connection: socket.socket) -> None:
        while head := connection.recv(65_536):
            line = head.partition(b"\r\n")[0]
            answer: Any = {"conversation_id": "c\ud83d"}
            if b"/messages " in line:
                answer = {"task_id": "t\ud83d/ {}"}
            elif b"/tasks/" in line:
                chunk = {"type": "text_chunk", "data": {"content": "x\ud83d"}}
                answer = {"data": {"status": "completed\ud83d", "next_offset": 1, "events": [chunk]}}
                answer["data"]["events"] = [] if b"from=1" in line else [chunk]
            connection.sendall(reply(answer))

    with serving(handle) as server:
        report = run(Target(base_url=server.url, token="t", max_messages=4), examples=4)
    assert report["exit_code"] == 1, report["notes"]
    assert verdicts(report)["ID-2"] == "fail"
    assert verdicts(report)["EVT-5"] == "fail"


# ---- dry runs ----


def test_a_dry_run_sends_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        told = CliRunner().invoke(cli, ["check", url, "--dry-run", "--token", "t"])
        listener.setblocking(False)
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert told.exit_code == 0
    assert told.output.startswith("Nothing is sent.")


def test_a_dry_run_tells_the_messages_of_a_real_one(whole: tuple[Any, Heard, int]) -> None:
    told = describe_run(Target(), Judgement())
    planned = re.search(r"That is (\d+) messages", told)
    assert planned is not None
    assert whole[2] <= int(planned.group(1)) <= 16
    assert f"would judge {len(whole[0]['requirements'])} requirements" in told
