from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sendpoll.reference_server import retention as retention_module
from sendpoll.reference_server import settings as settings_module
from sendpoll.reference_server.database import open_database
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.retention import Retention, Rule, Trail
from sendpoll.reference_server.tasks import Tasks, TaskView
from sendpoll.reference_server.writer import Writer
from tests.reference_server.conftest import Api, ManualClock, serving


@pytest.mark.parametrize(
    ("rule", "aged", "count", "cut"),
    [
        (Rule(10), 0, 50, 0),
        (Rule(10), 30, 50, 30),
        (Rule(10), 50, 50, 50),
        (Rule(10, events=20), 50, 50, 30),
        (Rule(10, events=20), 10, 50, 10),
        (Rule(10, events=20), 15, 15, 0),
    ],
)
def test_only_what_is_of_age_and_not_among_the_newest_goes(rule: Rule, aged: int, count: int, cut: int) -> None:
    assert rule.cut(aged, count) == cut


@pytest.mark.parametrize("events", [0, 1, 300])
def test_no_event_goes_before_its_time_and_none_stays_much_longer(events: int) -> None:
    """Ten events a second for ten minutes, kept for one."""
    clock = ManualClock()
    trail = Trail(Rule(60.0, events), clock)
    for count in range(6000):
        cut = trail.cut(count)
        by_age = max(0, count - 600)
        assert max(0, by_age - 10) <= cut <= by_age or cut == max(0, count - events)
        assert cut <= max(0, count - events)
        clock.forward(0.1)
    assert len(trail._marks) <= 101


@contextlib.asynccontextmanager
async def keeping(rule: Rule, clock: ManualClock, database_name: str) -> AsyncIterator[tuple[Retention, Reader, Tasks]]:
    with open_database(database_name) as database, contextlib.closing(Reader(database)) as reader:
        writer, tasks = Writer(database), Tasks(reader)
        retention = Retention(rule, clock, tasks, reader, writer)
        running = asyncio.create_task(retention.run())
        try:
            yield retention, reader, tasks
        finally:
            running.cancel()
            await writer.close()


def store(database: Path, tasks: int, events: int) -> None:
    with open_database(str(database)) as opened, contextlib.closing(opened.connect()) as connection:
        connection.execute("BEGIN")
        for number in range(1, tasks + 1):
            connection.execute(
                "INSERT INTO tasks VALUES (?, ?, x'00', 'c', '{}', 'completed', ?)", (number, f"task_{number}", events)
            )
            connection.executemany(
                "INSERT INTO events VALUES (?, ?, x'7b7d')", [(number, seq) for seq in range(events)]
            )
        connection.execute("COMMIT")


async def until(condition: Any) -> None:
    for _ in range(2000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it does not come")


def test_a_task_that_has_ended_is_forgotten_at_its_time(tmp_path: Path) -> None:
    store(tmp_path / "a", tasks=2, events=30_000)

    async def run() -> None:
        clock = ManualClock(waits=True)
        async with keeping(Rule(60.0, events=100), clock, str(tmp_path / "a")) as (retention, reader, tasks):
            view = tasks.find("task_2")
            assert view is not None
            view.keep(29_000, [b"{}"] * 1000)
            clock.forward(59)
            await asyncio.sleep(0.05)
            assert reader.kept(1, 0, 30_000).first == 0
            clock.forward(2)
            await until(lambda: reader.kept(1, 0, 30_000).first == reader.kept(2, 0, 30_000).first == 29_900)
            await until(lambda: view.since(29_899) is None)
            assert view.since(29_900) is not None
            retention.ended(TaskView(1, b"", "completed", 30_000))
            await asyncio.sleep(0.05)
            clock.forward(61)
            await asyncio.sleep(0.05)
            assert reader.kept(1, 0, 30_000).first == 29_900

    asyncio.run(run())


def test_all_tasks_of_earlier_starts_are_looked_at(tmp_path: Path) -> None:
    store(tmp_path / "a", tasks=450, events=3)

    async def run() -> None:
        clock = ManualClock(waits=True)
        async with keeping(Rule(60.0), clock, str(tmp_path / "a")) as (_, reader, _tasks):
            await asyncio.sleep(0)
            clock.forward(61)
            await until(lambda: reader.kept(450, 0, 3) == (3, 0))
            assert all(reader.kept(number, 0, 3) == (3, 0) for number in range(1, 451))

    asyncio.run(run())


def test_a_database_that_refuses_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(tmp_path / "a", tasks=1, events=3)
    monkeypatch.setattr(retention_module, "_RETRY", 0.01)
    right, refusals = Writer.submit, [StorageError("disk full")] * 3

    async def refuse(problem: StorageError) -> None:
        raise problem

    monkeypatch.setattr(Writer, "submit", lambda *args: refuse(refusals.pop()) if refusals else right(*args))

    async def run() -> None:
        clock = ManualClock(waits=True)
        async with keeping(Rule(60.0), clock, str(tmp_path / "a")) as (_, reader, _tasks):
            await asyncio.sleep(0)
            clock.forward(61)
            await until(lambda: reader.kept(1, 0, 3).first == 3)

    asyncio.run(run())


@pytest.fixture(name="short")
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ages that a test can wait for."""
    monkeypatch.setattr(settings_module, "LEAST_KEPT_SECONDS", 0.5)
    monkeypatch.setattr(retention_module, "LEAST_KEPT_SECONDS", 0.5)


def first_offset(api: Api, task: str, offset: int = 0) -> int | None:
    found: int | None = api.poll(task, offset).get("first_offset")
    return found


def wait_for_forgetting(api: Api, task: str, first: int) -> None:
    for _ in range(1000):
        if first_offset(api, task) == first:
            return
        time.sleep(0.02)
    raise AssertionError(f"from 0 it gives {api.poll(task)}")


@pytest.mark.usefixtures("short")
def test_a_poll_from_before_what_is_kept_gets_what_is_kept_and_where_that_begins(tmp_path: Path) -> None:
    name = str(tmp_path / "a")
    with serving(keep_events=5, database=name) as api:
        task = api.send(api.conversation())
        whole = api.wait(task)
        count = whole["next_offset"]
        assert first_offset(api, task) is None
        wait_for_forgetting(api, task, count - 5)
        kept = {**whole, "events": whole["events"][-5:], "first_offset": count - 5}
        assert api.poll(task) == api.poll(task, count - 6) == kept
        for offset in range(count - 5, count + 1):
            assert api.poll(task, offset) == {**whole, "events": whole["events"][offset:]}
        assert api.client.get(f"/api/v1/tasks/{task}", params={"from": count + 1}).status_code == 400
    with serving(database=name) as api:
        assert api.poll(task) == kept


@pytest.mark.usefixtures("short")
def test_of_a_task_whose_events_are_all_forgotten_status_and_offset_stay() -> None:
    with serving(keep_seconds=0.5) as api:
        task = api.send(api.conversation())
        whole = api.wait(task)
        count = whole["next_offset"]
        wait_for_forgetting(api, task, count)
        assert api.poll(task) == {**whole, "events": [], "first_offset": count}
        assert api.poll(task, count) == {**whole, "events": []}


@pytest.mark.usefixtures("short")
def test_a_long_task_forgets_while_it_runs_and_a_reader_at_its_pace_loses_nothing() -> None:
    with serving(keep_events=10, chunks=400, chunk_interval=0.01) as api:
        task = api.send(api.conversation())
        asked, late = time.monotonic(), [0]
        news: dict[str, Any] = {"status": "running", "next_offset": 0}
        while news["status"] == "running":
            time.sleep(0.05)
            offset, before, asked = news["next_offset"], asked, time.monotonic()
            news = api.poll(task, offset)
            # A machine that held this test up for longer than events are kept says nothing about the server.
            if time.monotonic() - before < 0.5:
                assert news["next_offset"] - offset == len(news["events"])
            late.append(first_offset(api, task) or 0)
        assert news["next_offset"] > 400
        assert late == sorted(late)
        assert late[-2] > 100


@pytest.mark.usefixtures("short")
def test_a_long_answer_says_where_it_begins_too_and_is_whole_while_its_events_go(tmp_path: Path) -> None:
    with serving(keep_events=5000, chunks=9000, database=str(tmp_path / "a")) as api:
        task = api.send(api.conversation())
        whole = api.wait(task)
        wait_for_forgetting(api, task, whole["next_offset"] - 5000)
        assert api.poll(task)["events"] == whole["events"][-5000:]
