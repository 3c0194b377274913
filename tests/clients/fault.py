"""A server's fault: one way of being wrong, or of being unusual where nothing forbids it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from sendpoll.conformance.client.serving.behaviour import Behaviour
from sendpoll.conformance.client.serving.right_api import Script, chunk

TOKEN = "t0ken"
MESSAGE = "你好，世界 🙂"


def events(message: str) -> list[Any]:
    """A task's whole log: text that echoes the message, between events that a client must skip."""
    return [
        {"type": "task_started", "data": None},
        chunk("你好，"),
        {"type": "tool_call", "data": {"name": "search"}},
        chunk(message),
        chunk("e\u0301 🙂\n"),
        {"type": "usage", "data": {"tokens": 3}},
        chunk("终"),
    ]


SCRIPT = Script(events=events)


def scripted(**changes: Any) -> Script:
    """The usual task, but for these changes."""
    return replace(SCRIPT, **changes)


@dataclass(frozen=True, slots=True)
class Fault(Behaviour):
    """A behaviour, the requirement that it breaks, and whom it breaks."""

    requirement: str
    name: str
    breaks: str
    """The letters of the clients that break, as seen."""
    script: Script = field(default=SCRIPT, kw_only=True)
    clients: tuple[str, ...] = ("curl", "python", "node", "browser", "dart")
    error_shown: str = ""
    """Where no answer can be had: what the client must say on standard error instead."""
    client_timeout: str = "30"
    """Seconds of silence that the Python client bears: 30 as published, less where the matrix would wait for them."""
