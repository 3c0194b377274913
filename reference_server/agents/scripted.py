"""The agent `scripted`: deterministic, paced, and full of what clients stumble over.

Its answer holds the message, whole but in pieces, between Chinese, an emoji joined of several code points, and
combining characters, and is cut between code points only. Between the text chunks stand events of other types, one of
them with null data, which clients must skip. The last chunk falls due exactly one service time after the start, however
long the message is, so that the capacity of a server with this agent is known: slots / mean service time.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import AsyncGenerator, Callable, Iterator

from sendpoll.reference_server.agents.base import Prompt
from sendpoll.reference_server.clock import Clock
from sendpoll.reference_server.events import Event, text_chunk

OPENING = ("你好，", "我收到了你的消息：", "「")
CLOSE_QUOTE = "」\n"
CLOSING = ("Cafe\u0301 ", "👩🏽\u200d🚀 ", "完。")
FILLER = ("接着说。", "A plain word. ", "e\u0301t puis\u2026 ", "🌍🌏🌎 ", "第二行\n")
_PIECE = 4
"""Code points of the message in one chunk, so that a few hundred make an answer of more than 100 events."""
_MOST_PIECES = 2000
"""A message of a megabyte is cut into longer pieces instead of a quarter of a million."""
_ITERATIONS = {"fast": 1}
_USUAL_ITERATIONS = 3


def cut(message: str) -> list[str]:
    """The message in pieces of whole code points, two at least where it has as many."""
    size = max(1, min(_PIECE, math.ceil(len(message) / 2)), math.ceil(len(message) / _MOST_PIECES))
    return [message[start : start + size] for start in range(0, len(message), size)]


def texts(message: str, chunks: int) -> tuple[int, Iterator[str]]:
    """How many text chunks the answer has, and these: as many as asked for, or more if the message needs more."""
    needed = [*OPENING, *cut(message), CLOSE_QUOTE]
    filling = max(0, chunks - len(needed) - len(CLOSING))
    filler = itertools.islice(itertools.cycle(FILLER), filling)
    return len(needed) + filling + len(CLOSING), itertools.chain(needed, filler, CLOSING)


def iterations(prompt: Prompt) -> int:
    """How many steps the run takes: one in mode `fast`, else a few, and never more than `max_iterations`."""
    wanted = _ITERATIONS.get(prompt.run_mode or "", _USUAL_ITERATIONS)
    return wanted if prompt.max_iterations is None else min(wanted, prompt.max_iterations)


def timeline(prompt: Prompt, chunks: int) -> Iterator[tuple[float, Event]]:
    """The events of the answer, each with the part of the service time after which it falls due."""
    steps = iterations(prompt)
    yield 0.0, Event("status", {"phase": "started", "run_mode": prompt.run_mode, "iterations": steps})
    for step in range(1, steps):
        yield 0.0, Event("tool_call", {"iteration": step, "name": "look_up", "arguments": {"page": step}})
    count, pieces = texts(prompt.message, chunks)
    for position, piece in enumerate(pieces, 1):
        yield position / count, text_chunk(piece)
        if position == (count + 1) // 2:
            yield position / count, Event("heartbeat", None)
    yield 1.0, Event("usage", {"message_characters": len(prompt.message), "text_chunks": count})


class ScriptedAgent:
    """Tells its timeline by the clock."""

    wants_history = False

    def __init__(self, clock: Clock, chunks: int, service_time: Callable[[], float]) -> None:
        self._clock = clock
        self._chunks = chunks
        self._service_time = service_time

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        """The events of the timeline, each when it falls due counted from the start, so that delays do not add up."""
        duration = self._service_time()
        start = self._clock.now()
        for part, event in timeline(prompt, self._chunks):
            await self._clock.sleep_until(start + part * duration)
            yield event

    async def close(self) -> None:
        """Nothing is held."""
