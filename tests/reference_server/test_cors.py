from __future__ import annotations

import httpx
import pytest

from tests.reference_server.conftest import TOKEN, Api, ApiMaker

PATHS = [
    "/api/v1/workspaces",
    "/api/v1/workspaces/ws1/conversations",
    "/api/v1/workspaces/ws1/messages",
    "/api/v1/tasks/task_1?from=0",
    "/nowhere",
]


@pytest.mark.parametrize("origin", ["http://page.example", "null", None])
@pytest.mark.parametrize("path", PATHS)
def test_options_is_2xx_without_credentials_on_every_path(api: Api, path: str, origin: str | None) -> None:
    headers = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    answer = httpx.options(f"{api.url}{path}", headers={**headers, **({"origin": origin} if origin else {})})
    assert answer.status_code == 204
    assert answer.headers.get_list("access-control-allow-origin") == ["*"]
    allowed = {name.strip() for name in answer.headers["access-control-allow-headers"].split(",")}
    assert {"authorization", "content-type"} <= allowed


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [TOKEN, "wrong"])
def test_every_answer_has_the_header_once(api: Api, path: str, token: str) -> None:
    headers = {"origin": "http://page.example", "authorization": f"Bearer {token}"}
    for method in ("GET", "POST"):
        answer = httpx.request(method, f"{api.url}{path}", headers=headers)
        assert answer.headers.get_list("access-control-allow-origin") == ["*"]


def test_listed_origins_are_named_and_others_get_nothing(make_api: ApiMaker) -> None:
    api = make_api(cors_origins=("http://one.example", "http://two.example"))
    for origin, granted in (("http://two.example", ["http://two.example"]), ("http://three.example", []), ("", [])):
        for answer in (
            api.client.get("/api/v1/tasks/none", headers={"origin": origin}),
            api.client.options("/api/v1/workspaces", headers={"origin": origin}),
        ):
            assert answer.headers.get_list("access-control-allow-origin") == granted
            assert answer.headers["vary"] == "origin"
