"""What an agent is: something that turns a prompt into the events of its task."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from sendpoll.reference_server.events import Event


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier message of the conversation and its answer."""

    message: str
    answer: str

    @classmethod
    def of(cls, message: str, events: Iterable[dict[str, Any]]) -> Turn:
        """The turn whose answer is the text of these events."""
        return cls(message, "".join(event["data"]["content"] for event in events if event["type"] == "text_chunk"))


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a task is asked."""

    message: str
    run_mode: str | None = None
    max_iterations: int | None = None
    history: tuple[Turn, ...] = ()


class AgentError(Exception):
    """The agent cannot answer, by no fault of this program: the task fails, and its `error` event says this."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Agent(Protocol):
    """Answers prompts, several at once."""

    wants_history: bool
    """Whether `Prompt.history` is to be filled, which costs a read of the conversation."""

    def answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """The events of the answer, as they come. Raises AgentError."""
        ...

    async def close(self) -> None:
        """Let go of what the agent holds."""
        ...
