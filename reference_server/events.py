"""Events, and the bytes in which they are stored and served."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """One element of a task's log. Clients print `text_chunk` and skip every other type."""

    type: str
    data: Any = None


def text_chunk(content: str) -> Event:
    """A piece of the answer."""
    return Event("text_chunk", {"content": content})


def error(code: str, message: str) -> Event:
    """Why a task failed."""
    return Event("error", {"code": code, "message": message})


def encode(event: Event) -> bytes:
    """The event as one strict JSON text in UTF-8.

    A surrogate without its partner cannot be written in UTF-8 and crashes clients that print it; it becomes U+FFFD.
    """
    text = json.dumps(
        {"type": event.type, "data": event.data}, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    return whole(text).encode()


def whole(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
