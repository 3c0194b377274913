"""The one thread that writes, and its group commit.

Whatever is waiting when a commit ends goes into the next one, so under load many writes share one trip to the disk,
and alone a write waits for nobody. Writes are applied in the order in which they were submitted.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sendpoll.reference_server.database import Database
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.histogram import Histogram

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

_BATCH = 1000
"""Writes in one transaction at most, so that one commit cannot grow without bound."""


@dataclass(frozen=True, slots=True)
class _Write:
    operation: Operation[Any]
    done: asyncio.Future[Any]


class Writer:
    """Runs operations on the database in its own thread; made and used on one event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self.commits = Histogram()
        """How long a transaction took, from its begin to its being durable."""
        self._thread = threading.Thread(target=self._run, name="sendpoll-writer", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[T]) -> asyncio.Future[T]:
        """Have the operation done; the future holds its result once that is durable, or StorageError."""
        write = _Write(operation, self._loop.create_future())
        self._queue.put(write)
        return write.done

    @property
    def waiting(self) -> int:
        """How many writes wait for the next transaction."""
        return self._queue.qsize()

    async def close(self) -> None:
        """Finish what was submitted, then end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        with contextlib.closing(self._database.connect()) as connection:
            while (first := self._queue.get()) is not None:
                batch, last = self._collect(first)
                self._commit(connection, batch)
                if last:
                    return

    def _collect(self, first: _Write) -> tuple[list[_Write], bool]:
        batch = [first]
        while len(batch) < _BATCH:
            try:
                write = self._queue.get_nowait()
            except queue.Empty:
                break
            if write is None:
                return batch, True
            batch.append(write)
        return batch, False

    def _commit(self, connection: sqlite3.Connection, batch: list[_Write]) -> None:
        try:
            begun = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            results = [write.operation(connection) for write in batch]
            connection.execute("COMMIT")
            self.commits.observe(time.perf_counter() - begun)
        except Exception as problem:  # noqa: BLE001 - who submitted it is told, whatever it is; the thread must live on
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            failure = StorageError(f"the database refuses to store: {problem}")
            self._loop.call_soon_threadsafe(_fail, batch, failure)
        else:
            self._loop.call_soon_threadsafe(_succeed, batch, results)


def _succeed(batch: list[_Write], results: list[Any]) -> None:
    for write, result in zip(batch, results, strict=True):
        if not write.done.done():
            write.done.set_result(result)


def _fail(batch: list[_Write], failure: StorageError) -> None:
    for write in batch:
        if not write.done.done():
            write.done.set_exception(failure)
