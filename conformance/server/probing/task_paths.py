"""A task's id in the path of a poll: as clients write it there, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import unquote

_POLLED = re.compile(r"/api/v1/tasks/([^?]*)")
_Task = TypeVar("_Task")


def pasted(text: str) -> str:
    """An id or offset as the published clients put it into a URL: as it is, but for what no request line can hold."""
    return "".join(
        character
        if "!" <= character <= "~"
        else "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        for character in text
    )


def polled(target: str, tasks: Mapping[str, _Task]) -> _Task | None:
    """Which of some tasks, by their ids, the target of a poll names, pasted in or percent-encoded; None if none."""
    match = _POLLED.search(target)
    if match is None:
        return None
    told = match.group(1)
    if told in tasks:
        return tasks[told]
    found = tasks.get(unquote(told))
    return found if found is not None else next((task for name, task in tasks.items() if pasted(name) == told), None)
