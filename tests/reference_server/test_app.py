"""The API over HTTP, as design and contract decide it."""

from __future__ import annotations

import concurrent.futures
import json
from typing import Any

import httpx
import pytest

from sendpoll.core.validation import findings
from sendpoll.reference_server.bodies import BODY_LIMIT
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.service import Service
from sendpoll.reference_server.writer import Writer
from tests.reference_server.conftest import POSTS, Api, ApiMaker, refusal, text

JSON = {"content-type": "application/json"}


def test_the_walk_through_the_four_calls(api: Api) -> None:
    news = api.finished("介绍明日方舟:终末地", run_mode="fast", max_iterations=100)
    assert news["status"] == "completed"
    assert news["next_offset"] == len(news["events"])
    assert "介绍明日方舟:终末地" in text(news)
    assert not list(findings("messages/poll-task.response.json", {"data": news}))


def test_a_workspace_is_201_when_new_and_200_when_known(api: Api) -> None:
    body = {"workspace_id": "twice"}
    answers = [api.client.post("/api/v1/workspaces", json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert [answer.json() for answer in answers] == [body, body]


def test_a_workspace_asked_for_at_once_by_many_is_new_once(api: Api) -> None:
    def ask(_: int) -> int:
        return httpx.post(f"{api.url}/api/v1/workspaces", json={"workspace_id": "rush"},
                          headers=api.client.headers).status_code  # fmt: skip

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(ask, range(16)))
    assert statuses == [200] * 15 + [201]


def test_the_other_success_codes(api: Api) -> None:
    conversation = api.conversation()
    opened = api.client.post("/api/v1/workspaces/ws1/conversations")
    sent = api.client.post(POSTS[2], json={"conversation_id": conversation, "message": ""})
    assert (opened.status_code, sent.status_code) == (201, 202)
    assert api.client.get(f"/api/v1/tasks/{sent.json()['task_id']}").status_code == 200


@pytest.mark.parametrize(
    ("headers", "content"),
    [({}, b""), (JSON, b""), (JSON, b"{}"), (JSON, b'{"title": "ignored"}'), ({"content-type": "text/plain"}, b"")],
)
def test_a_conversation_needs_no_body_and_takes_an_object(api: Api, headers: dict[str, str], content: bytes) -> None:
    api.conversation()
    answer = api.client.post(POSTS[1], content=content, headers=headers)
    assert answer.status_code == 201


@pytest.mark.parametrize(("content", "status"), [(b"[]", 422), (b"{", 400), (b"null", 422)])
def test_a_conversation_takes_nothing_else(api: Api, content: bytes, status: int) -> None:
    assert api.client.post(POSTS[1], content=content, headers=JSON).status_code == status


def test_escaped_and_raw_messages_are_the_same(api: Api) -> None:
    conversation = api.conversation()
    answers = []
    for escaped in (True, False):
        body = json.dumps({"conversation_id": conversation, "message": "你好 👋 e\u0301"}, ensure_ascii=escaped)
        task = api.client.post(POSTS[2], content=body.encode(), headers=JSON).json()["task_id"]
        answers.append(api.wait(task)["events"])
    assert answers[0] == answers[1]


def test_a_message_of_600_characters_gets_over_100_events(api: Api) -> None:
    news = api.finished("长" * 600)
    assert len(news["events"]) > 150
    assert "长" * 600 in text(news)


@pytest.mark.parametrize(
    "task", ["null", "undefined", "None", "task_0", "%00", "%ff", "a%20b", "%F0%9F%91%8B", "a" * 5000]
)
def test_an_unknown_task_is_404(api: Api, task: str) -> None:
    answer = api.client.get(f"/api/v1/tasks/{task}?from=0")
    assert (answer.status_code, refusal(answer)) == (404, "task_not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/api/v1",
        "/api/v1/tasks/",
        "/api/v1/tasks/?from=0",
        "/api/v1/tasks/a/b",
        "/api/v1/workspaces/",
        "/api/v1/workspaces/ws1/messages/",
        "//api/v1/workspaces",
    ],
)
def test_an_unknown_path_is_404_and_never_a_redirect(api: Api, path: str) -> None:
    for method in ("GET", "POST"):
        answer = api.client.request(method, path)
        assert (answer.status_code, refusal(answer)) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [(method, path, "OPTIONS, POST") for path in POSTS for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD")]
    + [(method, "/api/v1/tasks/t", "GET, HEAD, OPTIONS") for method in ("POST", "PUT", "DELETE", "PATCH", "TRACE")],
)
def test_a_wrong_method_is_405_with_allow(api: Api, method: str, path: str, allow: str) -> None:
    answer = api.client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == allow
    if method != "HEAD":
        assert refusal(answer) == "method_not_allowed"


def test_head_answers_a_poll_without_its_body(api: Api) -> None:
    task = api.send(api.conversation())
    api.wait(task)
    get, head = (api.client.request(method, f"/api/v1/tasks/{task}") for method in ("GET", "HEAD"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"] == str(len(get.content))


DEEP = b'{"conversation_id":"c","message":"x","more":' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "malformed_json"),
        (b"{", 400, "malformed_json"),
        (b'{"a":1} x', 400, "malformed_json"),
        (b"\xef\xbb\xbf{}", 400, "malformed_json"),
        (b'{"message":"\xff"}', 400, "malformed_json"),
        (b'{"message":NaN}', 400, "malformed_json"),
        ("{}".encode("utf-16"), 400, "malformed_json"),
        (b'{"n":' + b"9" * 5000 + b"}", 400, "malformed_json"),
        (DEEP, 400, "malformed_json"),
        (b"[]", 422, "invalid_body"),
        (b"{}", 422, "invalid_body"),
        (b'{"conversation_id":"","message":"x"}', 422, "invalid_body"),
        (b'{"conversation_id":null,"message":"x"}', 422, "invalid_body"),
        (b'{"conversation_id":7,"message":"x"}', 422, "invalid_body"),
        (b'{"conversation_id":"c"}', 422, "invalid_body"),
        (b'{"conversation_id":"c","message":null}', 422, "invalid_body"),
        (b'{"conversation_id":"c","message":"x","run_mode":1}', 422, "invalid_body"),
        (b'{"conversation_id":"c","message":"x","max_iterations":0}', 422, "invalid_body"),
        (b'{"conversation_id":"c","message":"x","max_iterations":1.5}', 422, "invalid_body"),
        (b'{"conversation_id":"c","message":"x","max_iterations":true}', 422, "invalid_body"),
        (b'{"conversation_id":"c","message":"\\ud83d"}', 422, "invalid_text"),
        (b'{"conversation_id":"\\ud83d","message":"x"}', 422, "invalid_text"),
        (b'{"conversation_id":"None","message":"x"}', 404, "conversation_not_found"),
        (b'{"conversation_id":"a\\u0000b","message":"x"}', 404, "conversation_not_found"),
    ],
)
def test_a_bad_message_body_is_refused(api: Api, content: bytes, status: int, code: str) -> None:
    api.conversation()
    answer = api.client.post(POSTS[2], content=content, headers=JSON)
    assert (answer.status_code, refusal(answer)) == (status, code)


def test_a_refusal_does_not_repeat_the_body(api: Api) -> None:
    body = {"conversation_id": ["secret" * 1000], "message": "x"}
    answer = api.client.post(POSTS[2], json=body)
    assert answer.status_code == 422
    assert "secret" not in answer.text
    assert "conversation_id" in answer.text


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ws1\n", "é", "-a", "x" * 65, "a\u0000"])
def test_a_workspace_name_that_a_url_would_change_is_422(api: Api, name: str) -> None:
    answer = api.client.post(POSTS[0], json={"workspace_id": name})
    assert (answer.status_code, refusal(answer)) == (422, "invalid_body")


@pytest.mark.parametrize("limit", [1, 100, 100.0, 2**63, 10**400])
def test_any_whole_max_iterations_is_accepted(api: Api, limit: float) -> None:
    assert api.finished(max_iterations=limit)["status"] == "completed"


def test_unknown_keys_are_ignored(api: Api) -> None:
    assert api.finished(temperature=0.7, history=[{"role": "user"}], message2=None)["status"] == "completed"


@pytest.mark.parametrize(
    "media_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json; charset=gbk"],
)
def test_a_body_of_another_media_type_is_415(api: Api, media_type: str) -> None:
    headers = {"content-type": media_type} if media_type else {}
    answer = api.client.post(POSTS[0], content=b'{"workspace_id":"ws1"}', headers=headers)
    assert (answer.status_code, refusal(answer)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON;charset=UTF-8",
        'application/json; charset="utf-8"',
    ],
)
def test_json_is_accepted_however_its_type_is_spelt(api: Api, media_type: str) -> None:
    answer = api.client.post(POSTS[0], content=b'{"workspace_id":"ws1"}', headers={"content-type": media_type})
    assert answer.is_success


@pytest.mark.parametrize("depth", [*range(900, 1010, 10), *range(985, 1000), 2000, 50_000])
def test_nesting_of_any_depth_is_accepted_or_refused(api: Api, depth: int) -> None:
    content = b'{"conversation_id":"c","message":"x","more":' + b"[" * depth + b"]" * depth + b"}"
    assert api.client.post(POSTS[2], content=content, headers=JSON).status_code in {400, 404, 422}


def test_a_disk_that_takes_nothing_is_told_as_503(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Writer, "submit", lambda *_: failing(StorageError("disk full")))
    answer = api.client.post(POSTS[0], json={"workspace_id": "ws1"})
    assert (answer.status_code, refusal(answer)) == (503, "storage_failed")


def test_a_fault_of_the_program_is_json_that_a_browser_may_read(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Service, "poll", lambda *_: 1 / 0)
    answer = api.client.get("/api/v1/tasks/t")
    assert (answer.status_code, refusal(answer)) == (500, "internal_error")
    assert answer.headers["connection"] == "close"


async def failing(problem: Exception) -> None:
    raise problem


def message_of(size: int, conversation: str) -> bytes:
    frame = json.dumps({"conversation_id": conversation, "message": ""}).encode()
    return frame[:-2] + b"x" * (size - len(frame)) + b'"}'


def test_a_body_of_the_limit_is_accepted_and_answered(api: Api) -> None:
    conversation = api.conversation()
    answer = api.client.post(POSTS[2], content=message_of(BODY_LIMIT, conversation), headers=JSON)
    assert answer.status_code == 202
    assert "x" * 1_000_000 in text(api.wait(answer.json()["task_id"]))


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_413(api: Api, chunked: bool) -> None:
    body = message_of(BODY_LIMIT + 1, api.conversation())
    content: Any = iter([body[:700_000], body[700_000:]]) if chunked else body
    answer = api.client.post(POSTS[2], content=content, headers=JSON)
    assert (answer.status_code, refusal(answer)) == (413, "body_too_large")


def test_a_far_too_large_body_of_a_conversation_is_413_too(api: Api) -> None:
    answer = api.client.post(POSTS[1], content=b" " * (4 * BODY_LIMIT), headers=JSON)
    assert (answer.status_code, refusal(answer)) == (413, "body_too_large")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("from=-1", "malformed_offset"),
        ("from=", "malformed_offset"),
        ("from", "malformed_offset"),
        ("from=abc", "malformed_offset"),
        ("from=1.0", "malformed_offset"),
        ("from=1e3", "malformed_offset"),
        ("from=+1", "malformed_offset"),
        ("from=%2B1", "malformed_offset"),
        ("from=0x1", "malformed_offset"),
        ("from=1_0", "malformed_offset"),
        ("from=%D9%A1", "malformed_offset"),
        ("from=%EF%BC%91", "malformed_offset"),
        ("from=%C2%B2", "malformed_offset"),
        ("from=null", "malformed_offset"),
        ("from=0%00", "malformed_offset"),
        ("from=0%0A", "malformed_offset"),
        ("from=" + "9" * 5000, "malformed_offset"),
        ("from=%ff", "malformed_query"),
        ("from=0&from=0", "repeated_offset"),
        ("from=0&from=1", "repeated_offset"),
        ("from=9999", "offset_out_of_range"),
        ("from=9007199254740993", "offset_out_of_range"),
    ],
)
def test_an_offset_that_was_never_given_out_is_400(api: Api, query: str, code: str) -> None:
    task = api.send(api.conversation())
    answer = api.client.get(f"/api/v1/tasks/{task}?{query}")
    assert (answer.status_code, refusal(answer)) == (400, code)


@pytest.mark.parametrize(
    "query", ["", "?", "?from=0", "?from=%30", "?from=00", "?other=1", "?from=0&other=%20", "?FROM=9999"]
)
def test_other_ways_to_say_from_the_start(api: Api, query: str) -> None:
    task = api.send(api.conversation())
    whole = api.wait(task)
    assert api.client.get(f"/api/v1/tasks/{task}{query}").json()["data"] == whole


def test_a_poll_from_any_offset_gives_what_follows_it(api: Api) -> None:
    task = api.send(api.conversation(), "x" * 100)
    whole = api.wait(task)
    for offset in range(whole["next_offset"] + 1):
        assert api.poll(task, offset) == {**whole, "events": whole["events"][offset:]}


def test_the_second_message_of_a_conversation_waits_for_the_first(make_api: ApiMaker) -> None:
    api = make_api(chunk_interval=0.01, slots=4)
    conversation = api.conversation()
    first, second = api.send(conversation, "one"), api.send(conversation, "two")
    while (news := api.poll(first))["status"] == "running":
        assert api.poll(second)["events"] == [] or api.poll(first)["status"] != "running"
    assert news["status"] == "completed"
    assert "two" in text(api.wait(second))


def test_the_echo_agent_answers_with_the_message(make_api: ApiMaker) -> None:
    news = make_api(agent="echo").finished("你好\u0000\u2028</script>")
    assert text(news) == "你好\u0000\u2028</script>"


def test_openapi_is_served_whole(api: Api) -> None:
    answer = httpx.get(f"{api.url}/openapi.json")
    document = answer.json()
    assert set(document["paths"]) == {
        "/api/v1/workspaces", "/api/v1/workspaces/{workspace_id}/conversations",
        "/api/v1/workspaces/{workspace_id}/messages", "/api/v1/tasks/{task_id}",
    }  # fmt: skip
    assert document["servers"] == [{"url": "/"}]
    assert ".json" not in json.dumps([value for key, value in refs(document)])


def refs(node: Any) -> list[tuple[str, str]]:
    if isinstance(node, list):
        return [ref for item in node for ref in refs(item)]
    if not isinstance(node, dict):
        return []
    own = [("$ref", node["$ref"])] if "$ref" in node else []
    return own + [ref for value in node.values() for ref in refs(value)]


def test_health_is_told_without_a_token(api: Api) -> None:
    answer = httpx.get(f"{api.url}/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
