"""The SQLite file: its tables, its connections, who may open it, and its recovery after a crash.

Events are rows of `(task, seq)` in key order, so those after an offset are found by one descent of a tree whatever
the length of the log. `seq` counts from 0 without gaps, and the offset of the API is the `seq` that comes next.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.events import encode, error
from sendpoll.reference_server.file_lock import InUseError, lock, make_private, opened, renew
from sendpoll.reference_server.settings import MEMORY
from sendpoll.reference_server.states import PUBLIC_STATUS, RUNNING, State, Step, advance

SCHEMA_VERSION = 1
APPLICATION_ID = 0x53504F4C
_SCHEMA = f"""
CREATE TABLE workspaces (owner BLOB NOT NULL, id TEXT NOT NULL, PRIMARY KEY (owner, id)) WITHOUT ROWID;
CREATE TABLE conversations (id TEXT PRIMARY KEY, owner BLOB NOT NULL, workspace TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE tasks (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner BLOB NOT NULL,
    conversation TEXT NOT NULL,
    request TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT '{RUNNING}',
    events INTEGER
);
CREATE INDEX tasks_by_conversation ON tasks (conversation, number);
CREATE INDEX tasks_unfinished ON tasks (number) WHERE events IS NULL;
CREATE TABLE events (
    task INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (task, seq)
) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {SCHEMA_VERSION};
"""
_JOURNAL_MARK, _LOG_MARK = 18, b"\x02\x02"
"""Where a file's header tells how changes are stored, and what it says of those that lie in a log beside it
(https://www.sqlite.org/fileformat.html, 1.3.3)."""
LOST = error("server_restarted", "The server stopped while this task ran. Send the message again.")


@dataclass(frozen=True, slots=True)
class Database:
    """Where the tables are. Connections to it belong to the thread that uses them."""

    uri: str

    def connect(self) -> sqlite3.Connection:
        """A connection in autocommit mode: transactions are begun in so many words."""
        connection = sqlite3.connect(self.uri, uri=True, isolation_level=None, check_same_thread=False, timeout=10)
        try:
            # In memory, readers share the writer's cache; they would otherwise wait for its table locks. What is not
            # yet committed is never served all the same: readers ask only for what the journals know to be durable.
            connection.execute("PRAGMA read_uncommitted = 1")
            # A commit returns when the log has reached the disk, so a power cut loses as little as a kill.
            connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error:  # the file may be something else
            connection.close()
            raise
        return connection


@contextlib.contextmanager
def open_database(name: str) -> Iterator[Database]:
    """A file's database (or one in memory), ready to serve: tables made, unfinished tasks of a dead server ended.

    Raises StorageError if the file cannot be used, is something else, or serves another process.
    """
    if name == MEMORY:
        database = Database(f"file:sendpoll-{secrets.token_hex(8)}?mode=memory&cache=shared")
        keeper = database.connect()
        with contextlib.closing(keeper):
            _prepare(keeper)
            yield database
        return
    path = Path(name).absolute()
    with _blaming(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        with _blaming(path):
            descriptor = stack.enter_context(opened(path))
            lock(descriptor)
            _require_log(path, descriptor)
            database = Database(path.as_uri())
            keeper = stack.enter_context(contextlib.closing(database.connect()))
            keeper.execute("PRAGMA journal_mode = WAL")
            renew(descriptor)
            _prepare(keeper)
            for suffix in ("", "-wal", "-shm"):
                make_private(_beside(path, suffix))
        stack.callback(_fold, keeper)
        yield database


def check_database(name: str) -> None:
    """Open it and let it go again. Raises StorageError: the plain answer, before an event loop and its logs stand."""
    with open_database(name):
        pass


@contextlib.contextmanager
def _blaming(path: Path) -> Iterator[None]:
    try:
        yield
    except InUseError as problem:
        raise StorageError(
            f"database {path}: another server uses it; stop that one or give another file with --database"
        ) from problem
    except (sqlite3.Error, OSError) as problem:
        raise StorageError(f"database {path}: {problem}; give another file with --database") from problem


def _require_log(path: Path, descriptor: int) -> None:
    """Refuse a file whose last changes lie beside another of its names, where SQLite does not look for them.

    That is so when a server that used it by that name was killed: one that stops folds its log into the file.
    """
    found = os.fstat(descriptor)
    os.lseek(descriptor, _JOURNAL_MARK, os.SEEK_SET)
    has_log = os.read(descriptor, 2) == _LOG_MARK
    if has_log and found.st_nlink > 1 and not _beside(path, "-wal").exists():
        raise OSError(
            "it has several names (hard links), and the last server, which used another of them, was killed;"
            " its last changes are beside that name: start it there once"
        )


def _fold(keeper: sqlite3.Connection) -> None:
    """Bring what the log holds into the file, and be without a log from then on: the file alone is all of it."""
    # A disk that is full or broken keeps its log, and the next start reads it.
    with contextlib.suppress(sqlite3.Error):
        keeper.execute("PRAGMA journal_mode = DELETE")


def _beside(path: Path, suffix: str) -> Path:
    """A file that SQLite keeps beside the database, which is beside the end of symbolic links."""
    real = path.resolve()
    return real.with_name(real.name + suffix)


def _prepare(connection: sqlite3.Connection) -> None:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if tables == 0:
        connection.executescript(f"BEGIN IMMEDIATE;{_SCHEMA}COMMIT;")
    elif (application, version) != (APPLICATION_ID, SCHEMA_VERSION):
        raise sqlite3.DatabaseError("it holds the tables of something else, or of another version of this server")
    recover(connection)


def recover(connection: sqlite3.Connection) -> int:
    """End every unfinished task as failed, behind all that was stored of it; return how many there were."""
    connection.execute("BEGIN IMMEDIATE")
    status = PUBLIC_STATUS[advance(State.RUNNING, Step.ABANDON)]
    unfinished = connection.execute("SELECT number FROM tasks WHERE events IS NULL").fetchall()
    for (number,) in unfinished:
        (stored,) = connection.execute(
            "SELECT coalesce(max(seq) + 1, 0) FROM events WHERE task = ?", (number,)
        ).fetchone()
        connection.execute("INSERT INTO events VALUES (?, ?, ?)", (number, stored, encode(LOST)))
        connection.execute("UPDATE tasks SET status = ?, events = ? WHERE number = ?", (status, stored + 1, number))
    connection.execute("COMMIT")
    return len(unfinished)
