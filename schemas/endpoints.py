"""The four endpoints, read from `openapi.yaml`, and that document with every reference inside it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import yaml

from sendpoll.schemas.contract import JSON, document, folder

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API."""

    operation: str
    """The operationId, such as `sendMessage`."""
    method: str
    path: str
    """The path template, such as `/api/v1/tasks/{task_id}`."""
    request_schema: str | None
    """The document that the request's body follows, such as `messages/send-message.request.json`."""
    body_required: bool
    response_schema: str
    """The document that a 2xx answer's body follows."""

    def target(self, parameters: Mapping[str, str], query: str = "") -> str:
        """The request target with its parameters in place, percent-encoded where a URL needs it."""
        path = self.path.format_map({key: _segment(value) for key, value in parameters.items()})
        return f"{path}?{query}" if query else path


def _segment(value: str) -> str:
    """A parameter as a path segment; half of a surrogate pair, which a server's id may hold, goes out as it came."""
    return quote(value, safe=":@,;+=&$!*()'~", errors="surrogatepass")


@functools.cache
def openapi_source() -> JSON:
    """`openapi.yaml` as written, its references pointing at the files in `messages/`."""
    parsed: JSON = yaml.safe_load(folder().joinpath("openapi.yaml").read_text(encoding="utf-8"))
    return parsed


@functools.cache
def endpoints() -> Mapping[str, Endpoint]:
    """Every endpoint by its operationId."""
    found = [
        _endpoint(path, method, item[method])
        for path, item in openapi_source()["paths"].items()
        for method in _METHODS
        if method in item
    ]
    return {endpoint.operation: endpoint for endpoint in found}


def _endpoint(path: str, method: str, operation: JSON) -> Endpoint:
    body = operation.get("requestBody")
    answer = next(response for status, response in operation["responses"].items() if status.startswith("2"))
    return Endpoint(
        operation=operation["operationId"],
        method=method.upper(),
        path=path,
        request_schema=_schema_name(body) if body else None,
        body_required=bool(body and body.get("required")),
        response_schema=_schema_name(answer),
    )


def _schema_name(holder: JSON) -> str:
    name: str = holder["content"]["application/json"]["schema"]["$ref"]
    return name


def openapi_document() -> JSON:
    """The document as one self-contained whole: each message schema stands under `components/schemas`."""
    bundled: JSON = _inside(openapi_source(), base="")
    messages = folder().joinpath("messages")
    bundled["components"]["schemas"] = {
        _component(f"messages/{entry.name}"): _inside(_without_dialect(document(f"messages/{entry.name}")), "messages/")
        for entry in sorted(messages.iterdir(), key=lambda entry: entry.name)
    }
    return bundled


def _inside(node: Any, base: str) -> Any:
    if isinstance(node, list):
        return [_inside(item, base) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: f"#/components/schemas/{_component(base + value)}"
        if key == "$ref" and not value.startswith("#")
        else _inside(value, base)
        for key, value in node.items()
    }


def _component(name: str) -> str:
    words = name.removeprefix("messages/").removesuffix(".json").replace(".", "-").split("-")
    return "".join(word.capitalize() for word in words)


def _without_dialect(schema: JSON) -> JSON:
    return {key: value for key, value in schema.items() if key != "$schema"}
