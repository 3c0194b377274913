"""Who may do what: tokens, and what belongs to somebody else."""

from __future__ import annotations

import httpx
import pytest

from tests.reference_server.conftest import OTHER_TOKEN, POSTS, TOKEN, Api, refusal


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN} x"]
)
@pytest.mark.parametrize("path", [*POSTS, "/api/v1/tasks/task_x"])
def test_without_a_known_token_every_call_is_401(api: Api, authorization: str | None, path: str) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    method = "POST" if path in POSTS else "GET"
    answer = httpx.request(method, f"{api.url}{path}", headers=headers)
    assert (answer.status_code, refusal(answer)) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("scheme", ["bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(api: Api, scheme: str) -> None:
    answer = api.client.get("/api/v1/tasks/none", headers={"authorization": f"{scheme} {TOKEN}"})
    assert answer.status_code == 404


def test_what_belongs_to_somebody_else_does_not_exist(api: Api) -> None:
    task = api.send(api.conversation())
    other = {"authorization": f"Bearer {OTHER_TOKEN}"}
    answers = [
        api.client.get(f"/api/v1/tasks/{task}", headers=other),
        api.client.post(POSTS[1], headers=other),
        api.client.post(POSTS[2], headers=other, json={"conversation_id": api.conversation(), "message": "x"}),
    ]
    missing = api.client.get("/api/v1/tasks/task_none", headers=other)
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert answers[0].content == missing.content


def test_two_owners_may_have_workspaces_of_one_name(api: Api) -> None:
    other = {"authorization": f"Bearer {OTHER_TOKEN}"}
    statuses = [
        api.client.post("/api/v1/workspaces", json={"workspace_id": "shared"}, headers=headers).status_code
        for headers in ({}, other)
    ]
    assert statuses == [201, 201]


def test_a_conversation_of_another_workspace_is_404(api: Api) -> None:
    conversation = api.conversation("ws2")
    api.conversation("ws1")
    answer = api.client.post(POSTS[2], json={"conversation_id": conversation, "message": "x"})
    assert (answer.status_code, refusal(answer)) == (404, "conversation_not_found")


def test_an_unknown_workspace_is_404(api: Api) -> None:
    for path in ("conversations", "messages"):
        body = {"conversation_id": "c", "message": "x"}
        answer = api.client.post(f"/api/v1/workspaces/nowhere/{path}", json=body)
        assert (answer.status_code, refusal(answer)) == (404, "workspace_not_found")
