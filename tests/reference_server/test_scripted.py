from __future__ import annotations

import asyncio
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sendpoll.reference_server.agents.base import Prompt
from sendpoll.reference_server.agents.scripted import ScriptedAgent, cut, iterations, timeline
from sendpoll.reference_server.events import Event
from tests.reference_server.conftest import ManualClock

MESSAGES = st.text(st.characters(exclude_categories=["Cs"]), max_size=400)


def answer(prompt: Prompt, chunks: int = 20) -> list[Event]:
    return [event for _, event in timeline(prompt, chunks)]


def texts(events: list[Event]) -> list[str]:
    return [event.data["content"] for event in events if event.type == "text_chunk"]


@given(MESSAGES, st.integers(1, 60))
def test_the_answer_holds_the_whole_message(message: str, chunks: int) -> None:
    assert message in "".join(texts(answer(Prompt(message), chunks)))


@given(MESSAGES)
def test_the_message_comes_in_pieces(message: str) -> None:
    pieces = cut(message)
    assert "".join(pieces) == message
    assert len(pieces) >= min(2, len(message))
    assert all(pieces)


@given(MESSAGES, st.integers(1, 60))
def test_there_are_as_many_chunks_as_asked_for_or_more_if_the_message_needs_them(message: str, chunks: int) -> None:
    assert len(texts(answer(Prompt(message), chunks))) == max(chunks, 7 + len(cut(message)))


@given(MESSAGES, st.integers(1, 60))
def test_the_same_prompt_gets_the_same_answer(message: str, chunks: int) -> None:
    assert list(timeline(Prompt(message), chunks)) == list(timeline(Prompt(message), chunks))


def test_a_message_of_600_characters_makes_well_over_100_events() -> None:
    assert len(answer(Prompt("长" * 600))) > 150


def test_a_message_of_a_megabyte_makes_a_bounded_number_of_events() -> None:
    assert len(answer(Prompt("x" * 1_000_000))) < 2100


def test_the_answer_holds_what_clients_stumble_over() -> None:
    whole = "".join(texts(answer(Prompt("?"))))
    assert any("CJK" in unicodedata.name(character, "") for character in whole)
    assert any(ord(character) > 0xFFFF for character in whole)
    assert any(unicodedata.combining(character) for character in whole)
    assert "\u200d" in whole


def test_other_events_stand_between_the_chunks_one_with_null_data() -> None:
    events = answer(Prompt("?"))
    types = [event.type for event in events]
    assert Event("heartbeat", None) in events
    assert types[0] == "status"
    assert types[-1] == "usage"
    assert "text_chunk" in types[: types.index("heartbeat")]
    assert "text_chunk" in types[types.index("heartbeat") :]


@pytest.mark.parametrize(
    ("run_mode", "limit", "steps"),
    [("fast", None, 1), ("fast", 100, 1), (None, None, 3), ("thorough", 100, 3), ("thorough", 2, 2), (None, 1, 1)],
)
def test_run_mode_and_max_iterations_set_the_steps(run_mode: str | None, limit: int | None, steps: int) -> None:
    prompt = Prompt("?", run_mode, limit)
    events = answer(prompt)
    assert iterations(prompt) == steps
    assert sum(event.type == "tool_call" for event in events) == steps - 1
    assert events[0].data == {"phase": "started", "run_mode": run_mode, "iterations": steps}


@given(MESSAGES, st.integers(1, 60))
def test_events_fall_due_in_order_and_the_last_at_the_end(message: str, chunks: int) -> None:
    parts = [part for part, _ in timeline(Prompt(message), chunks)]
    assert all(earlier <= later for earlier, later in pairwise(parts))
    assert parts[-1] == 1.0


@pytest.mark.parametrize("message", ["?", "x" * 5000])
def test_a_task_takes_its_service_time_however_long_the_message_is(message: str) -> None:
    clock = ManualClock()
    agent = ScriptedAgent(clock, chunks=20, service_time=lambda: 3.0)

    async def run() -> None:
        async for _ in agent.answer(Prompt(message)):
            pass

    asyncio.run(run())
    assert clock.time == 103.0
