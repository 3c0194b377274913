"""The four calls as verbs, in the form of one client: what most checks speak to the target with."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from sendpoll.conformance.http.exchange import Exchange, Intent, Request
from sendpoll.conformance.server.probing.client_profiles import ClientProfile
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.probing.task_paths import pasted
from sendpoll.conformance.server.transport.connection import Connection
from sendpoll.schemas.endpoints import endpoints

_TARGET_TOKEN = "\0target"  # noqa: S105 - stands for the target's own token where a caller names none


class Api:
    """Calls in the form of one client, each over a connection of its own unless one is given."""

    def __init__(self, recorder: Recorder, shape: ClientProfile) -> None:
        self.recorder = recorder
        self.shape = shape

    def request(
        self,
        operation: str,
        parameters: Mapping[str, str] | None = None,
        *,
        query: str = "",
        body: Mapping[str, Any] | bytes | None = None,
        token: str | None = _TARGET_TOKEN,
        intent: Intent = Intent.USE,
    ) -> Request:
        """A call as this client writes it; a `body` of bytes is sent as it is, a `token` of None not at all."""
        endpoint = endpoints()[operation]
        raw = body if body is None or isinstance(body, bytes) else self.shape.body(body)
        target = self.recorder.target
        own = self.recorder.token if token == _TARGET_TOKEN else token
        return Request(
            method=endpoint.method,
            target=endpoint.target(parameters or {}, query),
            headers=self.shape.headers(target, endpoint.method, raw, own),
            body=raw,
            operation=operation,
            intent=intent,
            shape=self.shape.name,
            body_apart=self.shape.body_apart and intent is not Intent.PROBE,  # probes are many
        )

    def ensure_workspace(self, name: str, *, intent: Intent = Intent.USE, over: Connection | None = None) -> Exchange:
        """POST /api/v1/workspaces."""
        request = self.request("createWorkspace", body={"workspace_id": name}, intent=intent)
        again = name in self.recorder.known_workspaces
        exchange = self.recorder.send(_marked(request, again=again), connection=over)
        if exchange.ok:
            self.recorder.known_workspaces.add(name)
        return exchange

    def open_conversation(
        self, workspace: str, *, intent: Intent = Intent.USE, over: Connection | None = None
    ) -> Exchange:
        """POST /api/v1/workspaces/{workspace_id}/conversations, without a body unless the target wants one."""
        body = self.recorder.opens_with
        request = self.request("createConversation", {"workspace_id": workspace}, body=body, intent=intent)
        return self.recorder.send(request, connection=over)

    def message_body(self, conversation: str, text: str) -> dict[str, Any]:
        """The body of a message with the members that this client sends."""
        body: dict[str, Any] = {"conversation_id": conversation, "message": text, "run_mode": "fast"}
        if self.shape.max_iterations is not None:
            body["max_iterations"] = self.shape.max_iterations
        return body

    def send_message(
        self,
        workspace: str,
        conversation: str,
        text: str,
        *,
        intent: Intent = Intent.USE,
        over: Connection | None = None,
        patient: bool = True,
    ) -> Exchange:
        """POST /api/v1/workspaces/{workspace_id}/messages. Raises BudgetSpentError for one message too many."""
        body = self.message_body(conversation, text)
        request = self.request("sendMessage", {"workspace_id": workspace}, body=body, intent=intent)
        return self.recorder.send(request, connection=over, patient=patient)

    def poll(
        self, task: str, offset: object, *, intent: Intent = Intent.USE, over: Connection | None = None
    ) -> Exchange:
        """GET /api/v1/tasks/{task_id}?from=N, the task id and the offset pasted in as clients do."""
        return self.recorder.send(self.poll_request(task, f"from={offset}", intent=intent), connection=over)

    def poll_request(self, task: str, query: str, *, intent: Intent = Intent.USE) -> Request:
        """The request of a poll with any query; characters that no request line can hold are percent-encoded."""
        request = self.request("pollTask", {"task_id": "\0"}, query=pasted(query), intent=intent)
        path, _, rest = request.target.partition("%00")
        return _marked(request, target=f"{path}{pasted(task)}{rest}", late=task in self.recorder.ended_tasks)


def _marked(request: Request, **changes: Any) -> Request:
    return dataclasses.replace(request, **changes)
