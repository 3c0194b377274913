"""The agent `echo`: the message comes back at once, in one piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sendpoll.reference_server.agents.base import Prompt
from sendpoll.reference_server.events import Event, text_chunk


class EchoAgent:
    """Answers with the message."""

    wants_history = False

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """One text chunk."""
        yield text_chunk(prompt.message)

    async def close(self) -> None:
        """Nothing is held."""
