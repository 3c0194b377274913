from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sendpoll.cli.replay import replay as command
from sendpoll.conformance.server.replay.recorded_request import ReplayError
from sendpoll.conformance.server.replay.replay import (
    Now,
    Outcome,
    ReplayCode,
    failed_row,
    messages,
    replay,
    replay_code,
)
from sendpoll.conformance.server.replay.replay_task import Recorded
from sendpoll.core.target.target import Target, Timeouts
from tests.conformance.recording_server import recording
from tests.conformance.reporting.sample import exchange, sample_report, violation
from tests.mutants.catalogue import BY_NAME
from tests.mutants.serve import running

TOKEN = "tok-4711"
_BROKEN = '{"data":{"status":"running","events":[],"next_offset":3.0}}'
_MENDED = '{"data":{"status":"running","events":[],"next_offset":3}}'


def target(url: str) -> Target:
    return Target(base_url=url, token=TOKEN, timeouts=Timeouts(exchange=5.0))


def row(identifier: str = "POLL-3") -> Any:
    return failed_row(sample_report(), identifier)


def outcome(row: Any, status: int, body: str) -> tuple[Now, str]:
    with recording(status, body) as server:
        found = list(replay(row, target(server.url)))
    return found[0].now, found[0].told


def test_the_same_answer_is_still_failing() -> None:
    assert outcome(row(), 200, _BROKEN) == (
        Now.STILL_FAILING,
        "/data/next_offset is written as 3.0, not as an integer literal",
    )


def test_a_right_answer_is_fixed() -> None:
    now, told = outcome(row(), 200, _MENDED)
    assert now is Now.FIXED
    assert "200 X" in told


def test_the_token_and_the_host_are_put_back_and_all_else_is_as_it_was() -> None:
    with recording(200, _MENDED) as server:
        list(replay(row(), target(server.url)))
    first = server.requests[0].decode()
    assert first.startswith("GET /api/v1/tasks/t1?from=0 HTTP/1.1\r\n")
    assert f"Authorization: Bearer {TOKEN}\r\n" in first
    assert f"Host: {server.url.removeprefix('http://')}\r\n" in first
    assert "User-Agent: python-requests/2.34.2\r\n" in first
    assert len(server.requests) == 2


def test_a_message_is_sent_with_its_body_again() -> None:
    with recording(202, '{"task_id":"t9"}') as server:
        found = list(replay(row("MSG-1"), target(server.url)))
    assert found[0].now is Now.FIXED
    assert server.requests[0].endswith('{"conversation_id":"c1","content":"it\'s $HOME \\"quoted\\" 你好"}'.encode())


@pytest.mark.parametrize(("status", "told"), [(404, "gone"), (410, "gone"), (401, "SENDPOLL_TOKEN"), (403, "--token")])
def test_nothing_is_said_where_the_task_is_gone_or_the_token_is_wrong(status: int, told: str) -> None:
    now, why = outcome(row(), status, '{"error":{}}')
    assert now is Now.CANNOT_TELL
    assert told in why


def test_nothing_is_said_of_what_the_answer_does_not_bear_on() -> None:
    now, told = outcome(row(), 500, "{}")
    assert now is Now.CANNOT_TELL
    assert "sendpoll check URL --only POLL-3" in told


def test_what_took_several_polls_is_not_sent_again_where_the_report_names_no_task() -> None:
    with recording(200, _MENDED) as server:
        found = list(replay(row("POLL-5"), target(server.url)))
    assert {one.now for one in found} == {Now.CANNOT_TELL}
    assert "--only POLL-5" in found[0].told
    assert server.requests == []


def again(identifier: str, mutant: str, kind: str = "plain") -> Outcome:
    """The replay of a violation in a task of a kind, on a server with this fault."""
    failed: Any = {
        "id": identifier,
        "checks": ["test_tasks.py::test_x"],
        "violations": [violation(f"task '{kind}': lost")],
    }
    with running(BY_NAME[mutant]) as (url, token, _):
        target = Target(base_url=url, token=token)
        recorded = Recorded(workspace="replayed", shape="curl")
        assert messages(failed, recorded) == 1
        return next(replay(failed, target, recorded))


@pytest.mark.parametrize(
    ("identifier", "mutant"), [("POLL-8", "event-behind-the-end"), ("POLL-8", "last-event-cut-for-late-reader")]
)
def test_what_took_several_polls_is_seen_again_in_a_new_task(identifier: str, mutant: str) -> None:
    outcome = again(identifier, mutant)
    assert outcome.now is Now.STILL_FAILING
    assert outcome.told.startswith("a new task of the same message: ")


def test_what_took_several_polls_is_fixed_where_a_new_task_is_well() -> None:
    outcome = again("POLL-8", "charset-missing-beyond-ascii")
    assert (outcome.now, "none contradicts another" in outcome.told) == (Now.FIXED, True)


def test_no_new_task_is_read_where_none_can_be_had() -> None:
    failed: Any = {"id": "POLL-5", "checks": [], "violations": [violation("task 'long': lost")]}
    with recording(500, "{}") as server:
        outcome = next(replay(failed, target(server.url)))
    assert outcome.now is Now.CANNOT_TELL
    assert "no conversation could be opened: 500" in outcome.told
    assert "--only POLL-5" in outcome.told


def test_the_kind_of_a_task_is_known_by_its_id_too() -> None:
    recorded = Recorded.of(sample_report())
    shown = violation("next_offset stayed 3", exchange(20, "/api/v1/tasks/t1?from=3", _MENDED))
    assert recorded.kind(shown) in {"plain", "unicode", "long"}
    assert recorded.kind(violation("next_offset stayed 3")) is None


def test_what_another_check_found_too_is_never_called_fixed() -> None:
    mixed = row() | {"checks": ["test_tasks.py::test_x", "test_traffic.py::test_all_traffic[POLL-3]"]}
    assert outcome(mixed, 200, _MENDED)[0] is Now.CANNOT_TELL
    assert outcome(mixed, 200, _BROKEN)[0] is Now.STILL_FAILING


def test_a_request_whose_body_was_trimmed_is_not_sent() -> None:
    cut = row("MSG-1")
    cut["violations"][0]["exchanges"][0]["request"]["body"] = '{"conversation_id":'
    with recording(202, "{}") as server:
        found = list(replay(cut, target(server.url)))
    assert found[0].now is Now.CANNOT_TELL
    assert server.requests == []


def test_an_unreachable_server_is_told() -> None:
    with recording(200, "{}") as server:
        url = server.url
    found = list(replay(row(), target(url)))
    assert found[0].now is Now.CANNOT_TELL
    assert "cannot be reached" in found[0].told


def test_exchanges_are_sent_in_the_order_in_which_they_were() -> None:
    one = row()
    one["violations"] = [violation("x", *(exchange(n, f"/api/v1/tasks/t1?from={n}", _BROKEN) for n in (9, 2, 5)))]
    with recording(200, _MENDED) as server:
        list(replay(one, target(server.url)))
    assert [request.split()[1][-1:] for request in server.requests] == [b"2", b"5", b"9"]


@pytest.mark.parametrize(("identifier", "told"), [("MSG-2", "came to pass"), ("NOPE-1", "not in this report")])
def test_only_what_failed_can_be_replayed(identifier: str, told: str) -> None:
    with pytest.raises(ReplayError, match=told):
        failed_row(sample_report(), identifier)


def test_a_mixed_result_is_told_by_its_worst_part() -> None:
    def outcomes(*nows: Now) -> ReplayCode:
        return replay_code([Outcome("", now, "") for now in nows])

    assert outcomes(Now.FIXED, Now.FIXED) == 0
    assert outcomes(Now.FIXED, Now.CANNOT_TELL) == 3
    assert outcomes(Now.CANNOT_TELL, Now.STILL_FAILING) == 1
    assert outcomes() == 3


def run(report: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [str(report), *arguments], env={"SENDPOLL_TOKEN": TOKEN})


@pytest.fixture
def report_file(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(sample_report()), encoding="utf-8")
    return path


def test_the_command_says_what_it_found_and_never_the_token(report_file: Path) -> None:
    with recording(200, f'{{"data":{{"status":"running","events":[],"next_offset":"{TOKEN}"}}}}') as server:
        result = run(report_file, "POLL-3", "--url", server.url)
    assert result.exit_code == 1
    assert "still failing" in result.stdout
    assert TOKEN not in result.output


def test_the_command_takes_the_folder_and_the_id_in_any_case(report_file: Path) -> None:
    with recording(200, _MENDED) as server:
        result = run(report_file.parent, "poll-3", "--url", server.url)
    assert (result.exit_code, "fixed" in result.stdout) == (0, True)


@pytest.mark.parametrize("content", ["{", "[]", '{"schema_version": 7}'])
def test_a_file_that_is_no_report_is_a_usage_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content, encoding="utf-8")
    result = run(path, "POLL-3")
    assert result.exit_code == 2
    assert "other.json" in result.stderr


def test_a_row_that_did_not_fail_is_a_usage_error(report_file: Path) -> None:
    result = run(report_file, "MSG-2")
    assert result.exit_code == 2
    assert "failed in it: MSG-1" in result.stderr
