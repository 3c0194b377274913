from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path

import pytest

from sendpoll.reference_server.database import Database, open_database
from sendpoll.reference_server.embedded import start_child, stop_child
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.settings import Settings
from tests.reference_server.conftest import bodies


def insert_task(database: Database, number: int, events: list[bytes]) -> None:
    with contextlib.closing(database.connect()) as connection:
        connection.execute(
            "INSERT INTO tasks (number, id, owner, conversation, request) VALUES (?, ?, x'00', 'c', '{}')",
            (number, f"task_{number}"),
        )
        connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?)", [(number, seq, body) for seq, body in enumerate(events)]
        )


@pytest.mark.parametrize("events", [[], [b'{"type":"a"}', b'{"type":"b"}']])
def test_an_unfinished_task_has_failed_after_a_restart_behind_all_that_was_stored(
    tmp_path: Path, events: list[bytes]
) -> None:
    name = str(tmp_path / "a.sqlite3")
    with open_database(name) as database:
        insert_task(database, 1, events)
    with open_database(name) as database, contextlib.closing(Reader(database)) as reader:
        task = reader.finished_task("task_1")
        assert task is not None
        assert (task.status, task.events) == ("failed", len(events) + 1)
        stored = bodies(reader, 1, task.events)
        assert stored[:-1] == events
        assert json.loads(stored[-1])["type"] == "error"


def test_a_third_start_changes_nothing_more(tmp_path: Path) -> None:
    name = str(tmp_path / "a.sqlite3")
    with open_database(name) as database:
        insert_task(database, 1, [])
    counts = []
    for _ in range(2):
        with open_database(name) as database, contextlib.closing(Reader(database)) as reader:
            task = reader.finished_task("task_1")
            counts.append(task and task.events)
    assert counts == [1, 1]


def test_a_second_server_on_the_same_file_is_told_so(tmp_path: Path) -> None:
    name = str(tmp_path / "a.sqlite3")
    with open_database(name), pytest.raises(StorageError, match="another server uses it"), open_database(name):
        pass


def other_names(path: Path) -> list[Path]:
    """The file's own name, and the other names under which it can be found."""
    folder = path.parent
    (folder / "symbolic.sqlite3").symlink_to(path.name)
    (folder / "hard.sqlite3").hardlink_to(path)
    (folder / "folder").symlink_to(folder)
    return [path, folder / "symbolic.sqlite3", folder / "hard.sqlite3", folder / "folder" / path.name]


def test_a_second_server_is_kept_away_whatever_the_file_is_called(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    with open_database(str(path)) as database:
        for name in other_names(path):
            with pytest.raises(StorageError, match=f"{name}: another server uses it"), open_database(str(name)):
                pass
            # It keeps other processes away too, also after connections have come and gone, which may drop locks.
            with contextlib.closing(Reader(database)) as reader:
                assert not reader.has_workspace(b"", "")
            with pytest.raises(StorageError, match=f"{name}: another server uses it"):
                start_child(Settings(tokens=("t",), port=0, database=str(name)))


def test_a_file_of_several_names_is_used_by_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    with open_database(str(path)) as database:
        insert_task(database, 1, [b"{}"])
    for name in other_names(path):
        with open_database(str(name)) as database, contextlib.closing(Reader(database)) as reader:
            assert bodies(reader, 1, 1) == [b"{}"]


def test_what_a_killed_server_left_beside_another_name_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite3"
    child, _ = start_child(Settings(tokens=("t",), port=0, database=str(path)))
    child.kill()
    child.wait()
    stop_child(child)
    names = other_names(path)
    with pytest.raises(StorageError, match="several names"), open_database(str(tmp_path / "hard.sqlite3")):
        pass
    for name in names:
        with open_database(str(name)):
            pass


@pytest.mark.parametrize("before", [None, 0o644])
def test_the_files_are_for_their_owner_alone(tmp_path: Path, before: int | None) -> None:
    path = tmp_path / "a.sqlite3"
    umask = os.umask(0)
    try:
        if before is not None:
            with open_database(str(path)):
                pass
            path.chmod(before)
        with open_database(str(path)) as database:
            insert_task(database, 1, [])
            modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    finally:
        os.umask(umask)
    assert modes == {"a.sqlite3": 0o600, "a.sqlite3-wal": 0o600, "a.sqlite3-shm": 0o600}


def test_a_stopped_server_leaves_one_file(tmp_path: Path) -> None:
    with open_database(str(tmp_path / "a.sqlite3")) as database:
        insert_task(database, 1, [])
    assert [file.name for file in tmp_path.iterdir()] == ["a.sqlite3"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("pipe", "not an ordinary file"), ("", "directory")):
        with pytest.raises(StorageError, match=words), open_database(str(tmp_path / name)):
            pass


def test_a_file_is_free_again_after_use(tmp_path: Path) -> None:
    for _ in range(2):
        with open_database(str(tmp_path / "a.sqlite3")):
            pass


def test_a_file_that_is_something_else_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 1000)
    path.chmod(0o644)
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"letter\.txt: file is not a database"), open_database(str(path)):
        pass
    assert path.read_bytes() == before
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.sqlite3"
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE tasks (id)")
    with pytest.raises(StorageError, match="tables of something else"), open_database(str(path)):
        pass


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(StorageError, match=r"file/a\.sqlite3: .*--database"),
        open_database(f"{tmp_path}/file/a.sqlite3"),
    ):
        pass


def test_two_databases_in_memory_are_apart() -> None:
    with open_database(":memory:") as one, open_database(":memory:") as other:
        insert_task(one, 1, [b"{}"])
        with contextlib.closing(Reader(one)) as reader:
            assert bodies(reader, 1, 1) == [b"{}"]
        with contextlib.closing(Reader(other)) as reader:
            assert bodies(reader, 1, 1) == []
