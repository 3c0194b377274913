"""What may be different about a server: a hook for each step between a request and the bytes of its answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from sendpoll.conformance.client.serving.messages import Answer, ReceivedRequest, encoded, on_the_wire
from sendpoll.conformance.client.serving.right_api import RightApi, Script

Refuse = Callable[[ReceivedRequest], "Answer | None"]
Rewrite = Callable[[ReceivedRequest], ReceivedRequest]
Edit = Callable[[ReceivedRequest, Any], Any]
Reshape = Callable[[ReceivedRequest, Answer], Answer]
Pieces = Iterable["bytes | float | Literal['end', 'close', 'reset', 'hang', 'outage']"]
Deliver = Callable[[ReceivedRequest, bytes], Pieces]


def whole(request: ReceivedRequest, response: bytes) -> Pieces:
    """The response as it is."""
    del request
    yield response


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """A server that is right but for what stands here. Each hook is the identity unless it is told otherwise."""

    script: Script
    refuse: Refuse = lambda _: None
    """An answer in place of the right one."""
    rewrite: Rewrite = lambda request: request
    """How the request is misunderstood."""
    edit: Edit = lambda _, document: document
    """What becomes of a success's JSON document."""
    reshape: Reshape = lambda _, right: right
    """What becomes of the answer's status, headers and body."""
    drops: Callable[[ReceivedRequest], bool] = lambda _: False
    """Whether the connection is closed in place of reading the request any further."""
    deliver: Deliver = whole
    """What is sent: bytes, and pauses in seconds. "end" ends the connection behind a whole answer, "close" and "reset"
    in place of the rest of one; "hang" sends nothing ever after; "outage" takes the server away for `outage`
    seconds."""
    outage: float = 0.0
    host: str = "127.0.0.1"
    """The address where the server listens."""


def answered(api: RightApi, behaviour: Behaviour, request: ReceivedRequest) -> Answer:
    """The answer as it is meant."""
    given = behaviour.refuse(request) or api.answer(behaviour.rewrite(request))
    if given.body and 200 <= given.status < 300:
        given = replace(given, body=encoded(behaviour.edit(request, json.loads(given.body))))
    return given


def sent(behaviour: Behaviour, request: ReceivedRequest, given: Answer) -> Pieces:
    """Everything that is sent for one request."""
    return behaviour.deliver(request, on_the_wire(behaviour.reshape(request, given)))
