"""A database that is damaged under the server."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import pytest

from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.reader import Reader, Stretch
from tests.reference_server.conftest import Api, refusal, serving

MARK = "marked-for-damage"


@pytest.fixture(name="database")
def _database(tmp_path: Path) -> Path:
    return tmp_path / "a.sqlite3"


def finished_task(database: Path, chunks: int = 20) -> str:
    """Make a task whose events hold the mark, and stop the server that made it."""
    with serving(database=str(database), chunks=chunks) as api:
        task = api.send(api.conversation(), MARK * 300)
        api.wait(task)
        return task


def damage(database: Path, page: int = 4096) -> None:
    """Make every page that holds an event with the mark unreadable."""
    data = bytearray(database.read_bytes())
    marked = [start for start in range(page, len(data), page) if b"mark" in data[start : start + page]]
    assert len(marked) > 1
    for start in marked:
        data[start : start + page] = b"\xff" * page
    database.write_bytes(data)


def delete(database: Path, seq: int) -> None:
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("DELETE FROM events WHERE seq = ?", (seq,))


def expect_503(api: Api, task: str) -> None:
    answer = api.client.get(f"/api/v1/tasks/{task}")
    assert (answer.status_code, refusal(answer)) == (503, "storage_failed")
    assert answer.headers["retry-after"] == "1"


def told(caplog: pytest.LogCaptureFixture) -> set[str]:
    """What the log says, which must be without any traceback."""
    problems = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not any(record.exc_info for record in problems)
    return {record.getMessage() for record in problems}


@pytest.mark.parametrize("chunks", [20, 9000])
def test_a_poll_of_damaged_pages_is_503(database: Path, caplog: pytest.LogCaptureFixture, chunks: int) -> None:
    task = finished_task(database, chunks)
    damage(database)
    with serving(database=str(database)) as api:
        for _ in range(3):
            expect_503(api, task)
        assert api.client.get("/healthz").status_code == 200
    assert told(caplog) == {"the database cannot be read: database disk image is malformed"}


@pytest.mark.parametrize("chunks", [20, 9000])
def test_a_gap_is_never_served(database: Path, caplog: pytest.LogCaptureFixture, chunks: int) -> None:
    task = finished_task(database, chunks)
    delete(database, 7)
    with serving(database=str(database)) as api:
        expect_503(api, task)
        assert len(api.poll(task, 8)["events"]) > 10
    assert told(caplog) == {"the database is damaged: parts of task 1 are missing"}


def test_an_answer_that_cannot_be_finished_is_cut(
    database: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = finished_task(database, chunks=9000)
    right = Reader.events

    def failing(reader: Reader, number: int, start: int, *rest: Any) -> Stretch:
        if start > 0:
            raise StorageError("the disk is gone")
        return right(reader, number, start, *rest)

    with serving(database=str(database)) as api:
        monkeypatch.setattr(Reader, "events", failing)
        with pytest.raises(httpx.RemoteProtocolError, match="closed"):
            api.poll(task)
    assert "the disk is gone" in told(caplog)
