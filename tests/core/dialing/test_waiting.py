"""A server that comes later is waited for, and no longer than was said."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from sendpoll.core.dialing.waiting import wait_until_it_answers
from sendpoll.core.target.target import Target
from tests.core.dialing.servers import ANSWER, listening

BUSY = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture(name="free")
def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_a_server_that_answers_is_not_waited_for() -> None:
    with listening("127.0.0.1") as (port, _):
        assert wait_until_it_answers(Target(base_url=f"http://127.0.0.1:{port}"), 30.0, lambda _: pytest.fail("waited"))


def test_a_server_that_comes_later_is_waited_for(free: int) -> None:
    waits: list[float] = []
    come = threading.Event()

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            come.set()
            started.wait(10)

    started = threading.Event()

    def serve() -> None:
        come.wait(10)
        with socket.create_server(("127.0.0.1", free)) as listener:
            started.set()
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(ANSWER)

    thread = threading.Thread(target=serve)
    thread.start()
    assert wait_until_it_answers(Target(base_url=f"http://127.0.0.1:{free}"), 30.0, sleep)
    thread.join(10)
    assert len(waits) == 3


def test_what_says_that_the_server_is_on_its_way_is_no_answer() -> None:
    """A forwarded port that closes at once, and a gateway before a server that starts."""
    answers = iter([b"", BUSY, BUSY, ANSWER])
    with listening("127.0.0.1", answer=lambda: next(answers)) as (port, seen):
        assert wait_until_it_answers(Target(base_url=f"http://127.0.0.1:{port}"), 30.0, lambda _: None)
        assert seen.total() == 4


def test_the_time_is_kept(free: int) -> None:
    waits: Iterator[None] = iter([])
    assert not wait_until_it_answers(Target(base_url=f"http://127.0.0.1:{free}"), 0.2)
    assert not list(waits)


def test_the_token_is_not_sent() -> None:
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                asked.append(connection.recv(1000))
                connection.sendall(ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        target = Target(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", token="the-token")
        assert wait_until_it_answers(target, 30.0)
        thread.join(10)
    assert b"the-token" not in asked[0]
