from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from pathlib import Path

import pytest

from sendpoll.reference_server.database import open_database
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.writer import Operation, Writer
from tests.reference_server.conftest import bodies


def insertion(seq: int) -> Operation[int]:
    def insert(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO events VALUES (1, ?, x'7b7d')", (seq,))
        return seq

    return insert


def test_a_result_comes_only_when_another_connection_can_read_it(tmp_path: Path) -> None:
    async def run() -> None:
        with open_database(str(tmp_path / "a.sqlite3")) as database, contextlib.closing(Reader(database)) as reader:
            writer = Writer(database)
            for seq in range(50):
                assert await writer.submit(insertion(seq)) == seq
                assert len(bodies(reader, 1, seq + 1)) == seq + 1
            await writer.close()

    asyncio.run(run())


def test_writes_are_applied_in_the_order_of_submission(tmp_path: Path) -> None:
    order: list[int] = []

    def note(number: int) -> Operation[int]:
        def operation(_connection: sqlite3.Connection) -> int:
            order.append(number)
            return number

        return operation

    async def run() -> None:
        with open_database(str(tmp_path / "a.sqlite3")) as database:
            writer = Writer(database)
            results = await asyncio.gather(*(writer.submit(note(number)) for number in range(3000)))
            assert results == list(range(3000))
            await writer.close()

    asyncio.run(run())
    assert order == list(range(3000))


def test_what_waits_shares_one_commit(tmp_path: Path) -> None:
    commits: list[int] = []

    async def run() -> None:
        with open_database(str(tmp_path / "a.sqlite3")) as database:
            gate = threading.Event()
            writer = Writer(database)
            first = writer.submit(lambda _connection: gate.wait(30))
            rest = [writer.submit(insertion(seq)) for seq in range(500)]
            rest[0].add_done_callback(lambda _: commits.append(sum(write.done() for write in rest)))
            gate.set()
            await asyncio.gather(first, *rest)
            await writer.close()

    asyncio.run(run())
    assert commits == [500]


def test_a_write_that_cannot_be_done_tells_who_asked_and_the_next_one_works(tmp_path: Path) -> None:
    async def run() -> None:
        with open_database(str(tmp_path / "a.sqlite3")) as database, contextlib.closing(Reader(database)) as reader:
            writer = Writer(database)
            with pytest.raises(StorageError, match="no such table"):
                await writer.submit(lambda connection: connection.execute("INSERT INTO nowhere VALUES (1)"))
            await writer.submit(insertion(0))
            await writer.close()
            assert bodies(reader, 1, 1) == [b"{}"]

    asyncio.run(run())


def test_closing_first_finishes_what_was_submitted(tmp_path: Path) -> None:
    async def run() -> None:
        with open_database(str(tmp_path / "a.sqlite3")) as database, contextlib.closing(Reader(database)) as reader:
            writer = Writer(database)
            for seq in range(100):
                writer.submit(insertion(seq))
            await writer.close()
            assert len(bodies(reader, 1, 100)) == 100

    asyncio.run(run())
