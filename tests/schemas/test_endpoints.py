"""The endpoints and the OpenAPI document that they are read from."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from importlib.resources import as_file
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from openapi_spec_validator.readers import read_from_filename

from sendpoll.schemas.contract import document, folder, names
from sendpoll.schemas.endpoints import endpoints, openapi_document, openapi_source


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "$ref" and isinstance(value, str):
                yield value
            else:
                yield from references(value)
    elif isinstance(node, list):
        for item in node:
            yield from references(item)


def test_the_document_is_valid_as_it_lies_in_its_folder() -> None:
    with as_file(folder()) as path:
        source, uri = read_from_filename(str(path / "openapi.yaml"))
        OpenAPIV31SpecValidator(source, base_uri=uri).validate()


def test_the_bundled_document_is_valid_and_whole() -> None:
    bundled = openapi_document()
    OpenAPIV31SpecValidator(json.loads(json.dumps(bundled))).validate()
    found = list(references(bundled))
    assert found
    for reference in found:
        node: Any = bundled
        assert reference.startswith("#/")
        for part in reference[2:].split("/"):
            node = node[part]


def test_the_bundle_leaves_source_and_schemas_as_they_were() -> None:
    before = copy.deepcopy((openapi_source(), [document(name) for name in names("messages")]))
    openapi_document()["components"]["schemas"].clear()
    assert (openapi_source(), [document(name) for name in names("messages")]) == before


def test_every_message_schema_is_used_by_an_endpoint() -> None:
    used = {f"#/components/schemas/{key}" for key in openapi_document()["components"]["schemas"]}
    assert used == {reference for reference in references(openapi_document()) if "/schemas/" in reference}


def test_the_four_calls() -> None:
    found = {name: (endpoint.method, endpoint.path, endpoint.body_required) for name, endpoint in endpoints().items()}
    assert found == {
        "createWorkspace": ("POST", "/api/v1/workspaces", True),
        "createConversation": ("POST", "/api/v1/workspaces/{workspace_id}/conversations", False),
        "sendMessage": ("POST", "/api/v1/workspaces/{workspace_id}/messages", True),
        "pollTask": ("GET", "/api/v1/tasks/{task_id}", False),
    }


def test_each_call_names_schemas_that_exist() -> None:
    for endpoint in endpoints().values():
        assert endpoint.response_schema in names("messages")
        assert endpoint.request_schema is None or endpoint.request_schema in names("messages")


@pytest.mark.parametrize(
    ("task", "query", "target"),
    [
        ("task_1", "from=0", "/api/v1/tasks/task_1?from=0"),
        ("task_1", "", "/api/v1/tasks/task_1"),
        ("a/b?c#d%e f", "", "/api/v1/tasks/a%2Fb%3Fc%23d%25e%20f"),
        (":@,;+=&$!*()'~._-", "", "/api/v1/tasks/:@,;+=&$!*()'~._-"),
        ("你", "", "/api/v1/tasks/%E4%BD%A0"),
        ("\ud800", "", "/api/v1/tasks/%ED%A0%80"),
        ("{workspace_id}", "", "/api/v1/tasks/%7Bworkspace_id%7D"),
    ],
)
def test_a_target_holds_its_parameters_escaped_where_a_url_needs_it(task: str, query: str, target: str) -> None:
    assert endpoints()["pollTask"].target({"task_id": task}, query) == target
