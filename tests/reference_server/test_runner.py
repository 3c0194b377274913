from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sendpoll.reference_server.agents.base import AgentError, Prompt, Turn
from sendpoll.reference_server.database import open_database
from sendpoll.reference_server.events import Event, text_chunk
from sendpoll.reference_server.lanes import Lanes
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.runner import Runner
from sendpoll.reference_server.service import Service
from sendpoll.reference_server.settings import Settings
from sendpoll.reference_server.tasks import Tasks
from sendpoll.reference_server.writer import Writer

OWNER = b"owner"


@dataclass
class GatedAgent:
    """Says the message, then waits for leave to end; a message that names a fault has it."""

    wants_history: bool = False
    prompts: list[Prompt] = field(default_factory=list)
    gates: dict[str, asyncio.Event] = field(default_factory=dict)

    async def answer(self, prompt: Prompt) -> AsyncGenerator[Event, None]:
        self.prompts.append(prompt)
        yield text_chunk(prompt.message)
        if prompt.message == "refuse":
            raise AgentError("upstream_refused", "No.")
        if prompt.message == "break":
            raise ZeroDivisionError("oh")
        await self.gates.setdefault(prompt.message, asyncio.Event()).wait()

    async def close(self) -> None:
        pass

    def started(self) -> list[str]:
        return [prompt.message for prompt in self.prompts]

    def end(self, message: str) -> None:
        self.gates.setdefault(message, asyncio.Event()).set()


@dataclass
class World:
    agent: GatedAgent
    service: Service
    runner: Runner

    async def conversation(self) -> str:
        await self.service.ensure_workspace(OWNER, "w")
        return await self.service.open_conversation(OWNER, "w")

    async def send(self, conversation: str, message: str) -> str:
        return await self.service.send_message(OWNER, "w", {"conversation_id": conversation, "message": message})

    def news(self, task: str) -> tuple[str, list[dict[str, Any]]]:
        news = self.service.poll(OWNER, task, 0)
        return news.status, [json.loads(body) for body in news.bodies or []]

    async def until(self, task: str, status: str, events: int) -> None:
        for _ in range(3000):
            if self.news(task)[0] == status and len(self.news(task)[1]) >= events:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"{task} is {self.news(task)}")


@contextlib.asynccontextmanager
async def world(slots: int, *, wants_history: bool = False) -> AsyncIterator[World]:
    with open_database(":memory:") as database, contextlib.closing(Reader(database)) as reader:
        writer, tasks = Writer(database), Tasks(reader)
        agent = GatedAgent(wants_history)
        runner = Runner(agent, tasks, reader, writer, slots)
        lanes = Lanes(Settings(tokens=("t",)))
        try:
            yield World(agent, Service(reader, writer, tasks, runner, lanes), runner)
        finally:
            await runner.stop()
            await writer.close()


def test_at_most_as_many_tasks_run_as_there_are_slots_and_the_others_wait_in_order() -> None:
    async def run() -> None:
        async with world(slots=2) as w:
            tasks = [await w.send(await w.conversation(), name) for name in "abcd"]
            await w.until(tasks[1], "running", 1)
            assert w.agent.started() == ["a", "b"]
            assert w.news(tasks[2]) == ("running", [])
            w.agent.end("b")
            await w.until(tasks[2], "running", 1)
            assert w.agent.started() == ["a", "b", "c"]
            assert w.news(tasks[3]) == ("running", [])

    asyncio.run(run())


def test_the_tasks_of_a_conversation_run_one_after_the_other() -> None:
    async def run() -> None:
        async with world(slots=9) as w:
            conversation = await w.conversation()
            first, second = [await w.send(conversation, name) for name in ("a", "b")]
            other = await w.send(await w.conversation(), "c")
            await w.until(other, "running", 1)
            assert w.agent.started() == ["a", "c"]
            assert w.news(second) == ("running", [])
            w.agent.end("a")
            await w.until(first, "completed", 1)
            await w.until(second, "running", 1)

    asyncio.run(run())


@pytest.mark.parametrize(("message", "code"), [("refuse", "upstream_refused"), ("break", "agent_broke")])
def test_a_task_whose_agent_fails_has_failed_and_says_why(message: str, code: str) -> None:
    async def run() -> None:
        async with world(slots=1) as w:
            task = await w.send(await w.conversation(), message)
            await w.until(task, "failed", 2)
            events = w.news(task)[1]
            assert [event["type"] for event in events] == ["text_chunk", "error"]
            assert events[1]["data"]["code"] == code

    asyncio.run(run())


def test_a_failed_task_frees_its_slot_and_its_conversation() -> None:
    async def run() -> None:
        async with world(slots=1) as w:
            conversation = await w.conversation()
            await w.send(conversation, "break")
            task = await w.send(conversation, "a")
            w.agent.end("a")
            await w.until(task, "completed", 1)

    asyncio.run(run())


def test_a_stop_ends_every_unfinished_task_as_failed() -> None:
    async def run() -> None:
        async with world(slots=1) as w:
            conversation = await w.conversation()
            tasks = [await w.send(conversation, "a"), await w.send(conversation, "b")]
            tasks.append(await w.send(await w.conversation(), "c"))
            await w.until(tasks[0], "running", 1)
            await w.runner.stop()
            for task in tasks:
                status, events = w.news(task)
                assert status == "failed"
                assert events[-1]["data"]["code"] == "server_restarted"
            assert w.agent.started() == ["a"]

    asyncio.run(run())


def test_an_agent_that_wants_it_sees_the_conversation_so_far() -> None:
    async def run() -> None:
        async with world(slots=1, wants_history=True) as w:
            conversation = await w.conversation()
            for message in ("a", "refuse", "b", "c"):
                w.agent.end(message)
                task = await w.send(conversation, message)
            await w.until(task, "completed", 1)
            assert w.agent.prompts[-1].history == (Turn("a", "a"), Turn("b", "b"))

    asyncio.run(run())
