"""What a run made on the server: noted from every answer, since what a probe made stays there as well."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sendpoll.conformance.http.exchange import Exchange, Request

_LISTED = 1000
"""Things of one kind that are listed; a server that accepts whatever it is sent could be left more."""
_LONGEST = 200
"""Characters of an id that are shown."""
_USABLE = 8192
"""Characters of an id with which a server could be asked: the request lines that servers take are no longer."""


@dataclass(slots=True)
class CreatedResources:
    """What a run leaves on the server, each thing once, in the order in which it was made."""

    workspaces: dict[str, None] = field(default_factory=dict)
    conversations: dict[str, None] = field(default_factory=dict)
    tasks: dict[str, None] = field(default_factory=dict)
    is_cut: bool = False
    """Whether there is more than is listed."""

    def note(self, exchange: Exchange) -> None:
        """Note what this exchange made, if it made something."""
        made = {
            "createWorkspace": (self.workspaces, "workspace_id"),
            "createConversation": (self.conversations, "conversation_id"),
            "sendMessage": (self.tasks, "task_id"),
        }.get(exchange.request.operation)
        if made is None or not exchange.ok or exchange.request.method != "POST":
            return
        listed, member = made
        asked = asked_for(exchange.request, member) if member == "workspace_id" else None
        name = asked or identifier(exchange, member)
        if name is not None and len(listed) < _LISTED:
            listed[name[:_LONGEST]] = None
        self.is_cut = self.is_cut or (name is not None and name[:_LONGEST] not in listed)


def identifier(exchange: Exchange, member: str) -> str | None:
    """An id in an answer as a client would paste it: a string, or a number as its digits; None if it has none."""
    found = _pasted(exchange.content.value, member) if exchange.ok else None
    return found if found is not None and len(found) <= _USABLE else None


def asked_for(request: Request, member: str) -> str | None:
    """An id in the body of a request; None if it has none."""
    try:
        return _pasted(json.loads(request.body or b""), member)
    except (ValueError, RecursionError):
        return None


def _pasted(value: object, member: str) -> str | None:
    found = value.get(member) if isinstance(value, dict) else None
    if isinstance(found, bool) or not isinstance(found, str | int):
        return None
    return str(found)
