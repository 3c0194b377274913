"""What a stranger's report can have sent: the API's calls, to the server that the user names, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sendpoll.cli.replay import replay as command
from sendpoll.conformance.server.replay.recorded_request import ReplayError, call_of, request_of
from sendpoll.conformance.server.replay.replay import failed_row
from sendpoll.core.target.target import Target
from sendpoll.schemas.contract import JSON
from tests.conformance.reporting.sample import sample_report
from tests.core.dialing.servers import listening

TARGET = Target(base_url="http://mine.example:8091", token="my-token", headers=(("X-Mine", "m"),))


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("POST", "/api/v1/workspaces", "createWorkspace"),
        ("POST", "/api/v1/workspaces/w1/conversations", "createConversation"),
        ("POST", "/api/v1/workspaces/w%201/messages", "sendMessage"),
        ("GET", "/api/v1/tasks/t-1?from=0", "pollTask"),
        ("GET", "/api/v1/tasks/t:1?from=%C3%A9", "pollTask"),
        ("OPTIONS", "/api/v1/tasks/t1?from=0", "pollTask"),
    ],
)
def test_each_call_of_the_api_is_one(method: str, target: str, operation: str) -> None:
    call = call_of(method, target)
    assert call is not None
    assert call.operation == operation


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("DELETE", "/api/v1/tasks/t1"),
        ("GET", "/api/v1/workspaces"),
        ("POST", "/api/v1/tasks/t1"),
        ("GET", "/admin"),
        ("GET", "/api/v1/tasks/../admin"),
        ("GET", "/api/v1/tasks/%2e%2e"),
        ("GET", "/api/v1/tasks/%252e%252e"),
        ("GET", "/api/v1/tasks/%2e%2e%2fadmin"),
        ("GET", "/api/v1/tasks/a%5C..%5Cb"),
        ("GET", "/api/v1/tasks/a;b"),
        ("GET", "/api/v1/tasks/t1%0d%0aX:%20y"),
        ("GET", "/api/v1/tasks/"),
        ("GET", "/api/v1/tasks/t1/more"),
        ("GET", "//api/v1/tasks/t1"),
        ("GET", "@127.0.0.1:1/api/v1/tasks/t1"),
        ("GET", "http://evil.example/api/v1/tasks/t1"),
        ("GET", "/api/v1/tasks/t1#x"),
        ("GET", "/api/v1/tasks/t1 HTTP/1.1\r\nX: y"),
        ("GET\r\nX: y", "/api/v1/tasks/t1"),
        ("GET", ""),
    ],
)
def test_nothing_else_is(method: str, target: str) -> None:
    assert call_of(method, target) is None


def exchange(**request: Any) -> Any:
    told = {"method": "GET", "target": "/api/v1/tasks/t1?from=0", "headers": [], "body": None, **request}
    return {"number": 1, "request": told, "shape": "curl"}


def headers_of(recorded: list[list[str]]) -> dict[str, str]:
    request = request_of(exchange(headers=recorded), "POLL-3", TARGET)
    assert request is not None
    assert len(dict(request.headers)) == len(request.headers)
    return dict(request.headers)


def test_the_token_goes_into_authorization_alone() -> None:
    told = headers_of([["Authorization", "Bearer [token]"], ["Accept", "[token]"], ["Host", "theirs.example"]])
    assert told == {
        "Authorization": "Bearer my-token",
        "Accept": "[token]",
        "Host": "mine.example:8091",
        "X-Mine": "m",
    }
    for other in ("Basic [token]", "xBearer [token]", "Bearer [token]x", "Bearer [token] [token]"):
        assert headers_of([["Authorization", other]])["Authorization"] == other


@pytest.mark.parametrize(
    "recorded",
    [
        [["X-HTTP-Method-Override", "DELETE"]],
        [["Transfer-Encoding", "chunked"]],
        [["X-Mine", "theirs"]],
        [["Proxy-Authorization", "x"]],
        [["Expect", "100-continue"]],
    ],
)
def test_headers_that_no_published_client_sends_are_left_out(recorded: list[list[str]]) -> None:
    assert headers_of(recorded) == {"X-Mine": "m"}


def test_a_header_that_stands_twice_goes_out_once() -> None:
    assert headers_of([["Host", "a"], ["host", "b"]]) == {"Host": "mine.example:8091", "X-Mine": "m"}


@pytest.mark.parametrize(
    "request_",
    [
        {"target": "/api/v1/tasks/[token]?from=0"},
        {"body": '{"a":"[token]"}', "headers": [["Content-Length", "15"]]},
        {"body": "{}", "headers": [["Content-Length", "3"]]},
        {"body": "{}", "headers": [["Content-Length", "2"], ["Content-Length", "2"]]},
        {"body": "{}"},
    ],
    ids=["token in the path", "token in the body", "cut", "two lengths", "no length"],
)
def test_a_request_that_the_report_holds_in_part_is_not_sent(request_: JSON) -> None:
    assert request_of(exchange(method="GET", **request_), "POLL-3", TARGET) is None


def test_a_row_with_another_request_in_it_is_refused_with_the_place() -> None:
    report = sample_report()
    row = next(row for row in report["requirements"] if row["id"] == "POLL-3")
    row["violations"][0]["exchanges"][1]["request"]["method"] = "DELETE"
    with pytest.raises(ReplayError, match=r"POLL-3: violations/0/exchanges/1/request: DELETE .* is no call of the API"):
        failed_row(report, "POLL-3")


def run(path: Path, *arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(command, [str(path), "POLL-3", *arguments], env={"SENDPOLL_TOKEN": "my-token"} | environ)


@pytest.fixture(name="report")
def _report(tmp_path: Path) -> Path:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(sample_report()), encoding="utf-8")
    return path


def test_a_report_does_not_choose_the_server_that_gets_the_token(report: Path) -> None:
    with listening("127.0.0.1") as (port, seen):
        told = json.loads(report.read_text())
        told["target"]["url"] = f"http://127.0.0.1:{port}"
        report.write_text(json.dumps(told))
        result = run(report)
        assert (result.exit_code, seen.total()) == (2, 0)
        assert f"the report is of http://127.0.0.1:{port}" in result.stderr
        assert "--url" in result.stderr


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("method", "DELETE"),
        ("method", "GET / HTTP/1.1\r\nX: y\r\n\r\n"),
        ("target", "@127.0.0.1:1/"),
        ("target", "/api/v1/tasks/../../admin"),
        ("headers", [["X", "a\r\nY: z"]]),
        ("headers", [["X", "\u4f60"]]),
    ],
)
def test_a_hostile_report_has_nothing_sent(report: Path, part: str, value: Any) -> None:
    told = json.loads(report.read_text())
    row = next(row for row in told["requirements"] if row["id"] == "POLL-3")
    row["violations"][0]["exchanges"][0]["request"][part] = value
    report.write_text(json.dumps(told))
    with listening("127.0.0.1") as (port, seen):
        result = run(report, "--url", f"http://127.0.0.1:{port}", http_proxy=f"http://127.0.0.1:{port}")
        assert (result.exit_code, seen.total()) == (2, 0)
    assert "violations/0/exchanges/0/request" in result.stderr
    assert "\r" not in result.stderr
