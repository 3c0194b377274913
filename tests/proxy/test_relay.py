"""The proxy passes bytes as they came, ends connections as the server does, and notes every exchange."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme

from sendpoll.conformance.http.exchange import Failure
from sendpoll.core.target.target import Target
from sendpoll.proxy.faults import parse_fault
from tests.core.dialing.servers import ANSWER as NOT_FOUND
from tests.core.dialing.servers import listening
from tests.proxy.proxied import Proxied, proxied

ANSWER = b"HTTP/1.1 200 OK\r\nX-Odd:  two  spaces\r\nContent-Length: 2\r\n\r\n{}"
POLL = b"GET /api/v1/tasks/t?from=0 HTTP/1.1\r\nHost: x\r\n\r\n"
Serve = Callable[[socket.socket], None]


@contextlib.contextmanager
def raw_server(serve: Serve) -> Iterator[Target]:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def carry(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                serve(connection)

        def work() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=carry, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=work, daemon=True).start()
        yield Target(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}")


def talk(proxy: Proxied, *requests: bytes) -> bytes:
    """All that comes back; ends with the word RESET where the connection was reset."""
    parts = urlsplit(proxy.url)
    said = b""
    try:
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
            for request in requests:
                connection.sendall(request)
            while data := connection.recv(65536):
                said += data
    except ConnectionResetError:
        return said + b"RESET"
    return said


def answering(answer: bytes, *, abort: bool = False) -> Serve:
    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(answer)
        if abort:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    return serve


@pytest.mark.parametrize(
    "answer",
    [
        ANSWER,
        b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\n{\r\n1\r\n}\r\n0\r\nT: 1\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 100 Continue\r\n\r\n" + ANSWER,
        ANSWER + b"more",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{}",
        b"\x16\x03\x01\x02garbage",
        b"",
    ],
)
def test_an_answer_comes_to_the_byte(answer: bytes) -> None:
    with raw_server(answering(answer)) as target, proxied(target) as proxy:
        assert talk(proxy, POLL) == answer
    assert len(proxy.seen) == 1


def test_a_reset_stays_a_reset() -> None:
    with raw_server(answering(b"", abort=True)) as target, proxied(target) as proxy:
        assert talk(proxy, POLL) == b"RESET"
    assert [one.failure for one in proxy.seen] == [Failure.CLOSED]


def test_a_server_that_is_not_there_is_told_of_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with proxied(Target(base_url=f"http://127.0.0.1:{port}")) as proxy:
        assert talk(proxy, POLL) == talk(proxy, POLL) == b"RESET"
    assert proxy.told == [f"http://127.0.0.1:{port} cannot be reached: Connection refused"]


def test_pipelined_requests_are_told_apart() -> None:
    def serve(connection: socket.socket) -> None:
        said = b""
        while said.count(b"\r\n\r\n") < 2:
            said += connection.recv(65536)
        connection.sendall(ANSWER + ANSWER.replace(b"200 OK", b"404 Not Found"))

    with raw_server(serve) as target, proxied(target) as proxy:
        assert talk(proxy, POLL + POLL.replace(b"from=0", b"from=1")).count(b"HTTP/1.1") == 2
    assert [(one.target[-1], one.response.status) for one in proxy.seen if one.response] == [("0", 200), ("1", 404)]


def test_a_client_that_leaves_is_no_failure_of_the_server() -> None:
    held = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.recv(65536)
        held.wait(20)

    with raw_server(serve) as target, proxied(target) as proxy:
        parts = urlsplit(proxy.url)
        with socket.create_connection((parts.hostname, parts.port or 0)) as connection:
            connection.sendall(POLL)
        held.set()
        until = time.monotonic() + 20
        while not proxy.seen and time.monotonic() < until:
            time.sleep(0.01)
    assert [(one.abandoned, one.failure) for one in proxy.seen] == [(True, None)]


def test_a_server_behind_tls_is_spoken_to_as_check_does(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with listening("127.0.0.1", tls=context) as (port, _):
        target = Target(base_url=f"https://127.0.0.1:{port}", ca_file=tmp_path / "ca.pem")
        with proxied(target) as proxy:
            assert talk(proxy, POLL) == NOT_FOUND
        with proxied(Target(base_url=target.base_url)) as untrusting:
            assert talk(untrusting, POLL) == b"RESET"
    assert proxy.seen[0].url == f"https://127.0.0.1:{port}/api/v1/tasks/t?from=0"
    (told,) = untrusting.told
    assert "its certificate is not trusted" in told


# ---- faults ----


def counting(served: list[bytes]) -> Serve:
    def serve(connection: socket.socket) -> None:
        while data := connection.recv(65536):
            served.append(data)
            connection.sendall(ANSWER.replace(b"{}", b"%02d" % len(served)))

    return serve


@pytest.mark.parametrize(
    ("rule", "said", "served"),
    [
        ("drop-before", b"RESET", 0),
        ("drop-after", b"RESET", 1),
        ("reset", ANSWER[:-2] + b"0RESET", 1),
        ("cut", ANSWER[:-2] + b"0", 1),
    ],
)
def test_a_fault_that_ends_the_connection(rule: str, said: bytes, served: int) -> None:
    heard: list[bytes] = []
    with raw_server(counting(heard)) as target, proxied(target, [parse_fault(rule)]) as proxy:
        assert talk(proxy, POLL) == said
    assert len(heard) == served
    assert [one.abandoned for one in proxy.seen] == [True] * served, "what was broken on purpose is nobody's fault"


def test_a_refusal_that_the_server_never_hears_of() -> None:
    heard: list[bytes] = []
    rules = [parse_fault("refuse,status=429,retry_after=7,turn=1")]
    closing = POLL.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    def serve(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(ANSWER)

    with raw_server(serve) as target, proxied(target, rules) as proxy:
        said = talk(proxy, POLL, closing)
    assert said.startswith(b"HTTP/1.1 429 Too Many Requests\r\n")
    assert b"Retry-After: 7\r\n" in said
    assert said.endswith(ANSWER)
    assert len(heard) == len(proxy.seen) == 1


def test_a_poll_that_is_repeated_reaches_the_server_twice() -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        if said := connection.recv(65536):
            heard.append(said)
            connection.sendall(ANSWER)

    with raw_server(serve) as target, proxied(target, [parse_fault("duplicate")]) as proxy:
        assert talk(proxy, POLL) == ANSWER
    assert [data.partition(b" HTTP")[0] for data in heard] == [POLL.partition(b" HTTP")[0]] * 2
    assert len(proxy.seen) == 1


def test_a_stale_answer_is_the_one_before_at_the_same_url() -> None:
    heard: list[bytes] = []
    with raw_server(counting(heard)) as target, proxied(target, [parse_fault("stale,every=2")]) as proxy:
        parts = urlsplit(proxy.url)
        with socket.create_connection((parts.hostname, parts.port or 0), timeout=20) as connection:
            said = []
            for _ in range(4):
                connection.sendall(POLL)
                said.append(connection.recv(65536)[-2:])
    assert said == [b"01", b"01", b"02", b"02"]
    assert len(heard) == len(proxy.seen) == 2
    assert proxy.server.cost.as_json()["faults"][0]["injected"] == 2


@pytest.mark.parametrize("rule", ["delay,seconds=0.3", "drip,seconds=0.3", "jitter,seconds=0.1"])
def test_what_is_only_late_comes_whole(rule: str) -> None:
    heard: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        heard.append(connection.recv(65536))
        connection.sendall(ANSWER)

    with raw_server(serve) as target, proxied(target, [parse_fault(rule)]) as proxy:
        assert talk(proxy, POLL) == ANSWER
    cost = proxy.server.cost.as_json()["faults"][0]
    assert (cost["injected"], cost["recovered"]) == (1, 1)
    assert not proxy.seen[0].abandoned
