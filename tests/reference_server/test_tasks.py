from __future__ import annotations

import contextlib
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from sendpoll.reference_server.database import open_database
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.tasks import Tasks, TaskView

BATCHES = st.lists(st.lists(st.binary(max_size=40), max_size=400), max_size=20)


@given(BATCHES, st.data())
def test_the_tail_is_right_or_not_at_hand(batches: list[list[bytes]], data: st.DataObject) -> None:
    view, log = TaskView(1, b"o", "running"), []
    for batch in batches:
        view.extend(batch)
        log += batch
    assert view.count == len(log)
    offset = data.draw(st.integers(0, len(log)))
    assert view.since(offset) in (None, log[offset:])
    assert view.since(len(log)) == []


def test_the_newest_events_are_at_hand() -> None:
    view = TaskView(1, b"o", "running")
    for number in range(10_000):
        view.extend([b"%d" % number])
    assert view.since(9_900) == [b"%d" % number for number in range(9_900, 10_000)]


def test_a_long_log_is_not_held() -> None:
    view = TaskView(1, b"o", "running")
    tracemalloc.start()
    try:
        for _ in range(200):
            view.extend([b"x" * 10_000 for _ in range(10)])
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


def test_an_event_over_the_bound_is_left_to_the_database() -> None:
    view = TaskView(1, b"o", "running")
    view.extend([b"x" * 1_000_000])
    assert view.since(0) is None
    assert view.since(1) == []


def test_what_was_read_is_at_hand_for_who_asks_next() -> None:
    view = TaskView(1, b"o", "completed", 5)
    assert view.since(3) is None
    view.keep(3, [b"d", b"e"])
    assert view.since(3) == [b"d", b"e"]
    assert view.since(4) == [b"e"]
    assert view.since(2) is None


def test_finished_tasks_are_found_in_the_database_and_only_some_are_held() -> None:
    with open_database(":memory:") as database, contextlib.closing(Reader(database)) as reader:
        with contextlib.closing(database.connect()) as connection:
            connection.executemany(
                "INSERT INTO tasks (id, owner, conversation, request, status, events)"
                " VALUES (?, x'00', 'c', '{}', 'completed', 7)",
                [(f"task_{number}",) for number in range(1000)],
            )
        tasks = Tasks(reader)
        for number in range(1000):
            view = tasks.find(f"task_{number}")
            assert view is not None
            assert (view.status, view.count) == ("completed", 7)
        assert len(tasks._recent) < 200
        assert tasks.find("task_none") is None
