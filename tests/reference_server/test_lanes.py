"""One task at a time: of a conversation, of a workspace, of a token."""

from __future__ import annotations

import concurrent.futures

import httpx
import pytest

from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.writer import Writer
from tests.reference_server.conftest import OTHER_TOKEN, Api, ApiMaker, refusal

SLOW = {"chunks": 10_000, "chunk_interval": 1.0}


def message(api: Api, workspace: str, conversation: str, token: str | None = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    body = {"conversation_id": conversation, "message": "hi"}
    return api.client.post(f"/api/v1/workspaces/{workspace}/messages", json=body, headers=headers)


def other_conversation(api: Api) -> str:
    """A conversation of the other token, in a workspace of the same name."""
    headers = {"authorization": f"Bearer {OTHER_TOKEN}"}
    api.client.post("/api/v1/workspaces", json={"workspace_id": "ws1"}, headers=headers)
    answer = api.client.post("/api/v1/workspaces/ws1/conversations", headers=headers)
    conversation: str = answer.json()["conversation_id"]
    return conversation


@pytest.mark.parametrize(
    ("scope", "same_conversation", "same_workspace", "same_token"),
    [("conversation", 409, 202, 202), ("workspace", 409, 409, 202), ("token", 409, 409, 409)],
)
def test_a_further_message_is_refused_where_one_task_runs(
    make_api: ApiMaker, scope: str, same_conversation: int, same_workspace: int, same_token: int
) -> None:
    api = make_api(one_task_per=scope, **SLOW)
    first, second, third = api.conversation("ws1"), api.conversation("ws1"), api.conversation("ws2")
    stranger = other_conversation(api)
    assert message(api, "ws1", first).status_code == 202
    assert message(api, "ws1", first).status_code == same_conversation
    assert message(api, "ws1", second).status_code == same_workspace
    assert message(api, "ws2", third).status_code == same_token
    assert message(api, "ws1", stranger, OTHER_TOKEN).status_code == 202


def test_the_refusal_says_why_and_when_to_come_again(make_api: ApiMaker) -> None:
    api = make_api(one_task_per="workspace", **SLOW)
    conversation = api.conversation()
    api.send(conversation)
    answer = message(api, "ws1", conversation)
    assert (answer.status_code, refusal(answer)) == (409, "task_running")
    assert answer.headers["retry-after"] == "1"
    assert "workspace" in answer.json()["error"]["message"]


@pytest.mark.parametrize("chunks", [1, 200])
def test_it_is_free_again_as_soon_as_a_client_can_see_it(make_api: ApiMaker, chunks: int) -> None:
    api = make_api(one_task_per="token", chunks=chunks)
    conversation = api.conversation()
    for _ in range(100):
        task = api.send(conversation)
        while api.poll(task)["status"] == "running":
            pass


def test_of_many_at_once_one_is_taken(make_api: ApiMaker) -> None:
    api = make_api(one_task_per="workspace", **SLOW)
    conversations = [api.conversation() for _ in range(16)]
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda conversation: message(api, "ws1", conversation), conversations))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 15


def test_a_message_that_could_not_be_stored_takes_nothing(make_api: ApiMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    api = make_api(one_task_per="workspace", **SLOW)
    conversation = api.conversation()
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "submit", lambda *_: failing())
        assert message(api, "ws1", conversation).status_code == 503
    assert message(api, "ws1", conversation).status_code == 202


async def failing() -> None:
    raise StorageError("disk full")


def test_one_may_wait_instead(make_api: ApiMaker) -> None:
    api = make_api(one_task_per="workspace", when_busy="queue", chunks=20, chunk_interval=0.01, slots=4)
    first, second = (api.send(api.conversation()) for _ in range(2))
    other = message(api, "ws2", api.conversation("ws2")).json()["task_id"]
    while (news := api.poll(first))["status"] == "running":
        assert api.poll(second)["events"] == [] or api.poll(first)["status"] != "running"
    assert news["status"] == "completed"
    assert {api.wait(task)["status"] for task in (second, other)} == {"completed"}
