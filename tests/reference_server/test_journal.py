from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from typing import Any, cast

import pytest

from sendpoll.reference_server import journal as journal_module
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.events import Event, text_chunk
from sendpoll.reference_server.journal import Journal
from sendpoll.reference_server.states import IllegalStepError, Step
from sendpoll.reference_server.tasks import TaskView
from sendpoll.reference_server.writer import Writer


class HeldWriter:
    """Commits when the test says so, into a database that the test can read."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        self.connection.execute("CREATE TABLE events (task, seq, body, PRIMARY KEY (task, seq))")
        self.connection.execute("CREATE TABLE tasks (number, status, events)")
        self.connection.execute("INSERT INTO tasks VALUES (1, 'running', NULL)")
        self.held: list[tuple[Any, asyncio.Future[Any]]] = []

    def submit(self, operation: Any) -> asyncio.Future[Any]:
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.held.append((operation, done))
        return done

    async def commit(self) -> None:
        operation, done = self.held.pop(0)
        done.set_result(operation(self.connection))
        await asyncio.sleep(0)

    async def fail(self) -> None:
        _, done = self.held.pop(0)
        done.set_exception(StorageError("disk full"))
        await asyncio.sleep(0)

    def stored(self) -> list[bytes]:
        return [body for (body,) in self.connection.execute("SELECT body FROM events ORDER BY seq")]


@pytest.fixture(name="writer")
def _writer() -> Iterator[HeldWriter]:
    writer = HeldWriter()
    yield writer
    writer.connection.close()


def started(writer: HeldWriter) -> tuple[Journal, TaskView]:
    view = TaskView(1, b"o", "running")
    journal = Journal(view, cast(Writer, writer))
    journal.start()
    return journal, view


def test_an_event_is_not_visible_before_its_commit(writer: HeldWriter) -> None:
    async def run() -> None:
        journal, view = started(writer)
        await journal.append(text_chunk("a"))
        assert (view.count, writer.stored()) == (0, [])
        await writer.commit()
        assert view.since(0) == writer.stored()
        assert view.count == 1

    asyncio.run(run())


def test_what_comes_during_a_write_goes_together_into_the_next(writer: HeldWriter) -> None:
    async def run() -> None:
        journal, view = started(writer)
        for content in "abcd":
            await journal.append(text_chunk(content))
        assert len(writer.held) == 1
        await writer.commit()
        assert view.count == 1
        assert len(writer.held) == 1
        await writer.commit()
        assert view.since(0) == writer.stored()
        assert view.count == 4

    asyncio.run(run())


def test_the_end_is_visible_with_the_last_event_and_not_before(writer: HeldWriter) -> None:
    async def run() -> None:
        journal, view = started(writer)
        await journal.append(text_chunk("a"))
        finish = asyncio.create_task(journal.finish(Step.FAIL, Event("error")))
        await asyncio.sleep(0)
        await writer.commit()
        assert (view.status, view.count) == ("running", 1)
        assert not finish.done()
        await writer.commit()
        assert (view.status, view.count) == ("failed", 2)
        await finish
        assert writer.connection.execute("SELECT status, events FROM tasks").fetchall() == [("failed", 2)]

    asyncio.run(run())


def test_a_write_that_failed_is_tried_again_and_nothing_is_lost_or_doubled(
    writer: HeldWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "_RETRY", 0.0)

    async def run() -> None:
        journal, view = started(writer)
        await journal.append(text_chunk("a"))
        await journal.append(text_chunk("b"))
        await writer.fail()
        assert view.count == 0
        for _ in range(100):
            await asyncio.sleep(0)
        await writer.commit()
        assert view.count == 2
        assert view.since(0) == writer.stored()
        assert not writer.held

    asyncio.run(run())


def test_an_agent_that_runs_far_ahead_of_the_disk_has_to_wait(writer: HeldWriter) -> None:
    async def run() -> None:
        journal, view = started(writer)

        async def flood() -> None:
            for _ in range(5000):
                await journal.append(text_chunk("a"))

        flooding = asyncio.create_task(flood())
        await asyncio.sleep(0)
        assert not flooding.done()
        while not flooding.done() or writer.held:
            assert len(journal._pending) <= 1000
            await writer.commit()
        assert view.count == 5000

    asyncio.run(run())


def test_a_task_ends_once(writer: HeldWriter) -> None:
    async def run() -> None:
        journal, _ = started(writer)
        finish = asyncio.create_task(journal.finish(Step.COMPLETE))
        await asyncio.sleep(0)
        await writer.commit()
        await finish
        with pytest.raises(IllegalStepError):
            await journal.finish(Step.FAIL)

    asyncio.run(run())
