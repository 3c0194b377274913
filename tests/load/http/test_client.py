"""The client of one user, against servers that answer with given bytes."""

from __future__ import annotations

import errno
import gzip
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from sendpoll.core.target.target import Target, Timeouts
from sendpoll.load.http.client import HttpClient, Watchdog
from sendpoll.load.http.response import HeadReader, MalformedAnswerError
from sendpoll.load.http.transport import Connector, ExchangeError
from sendpoll.load.measure.machine_limits import Limit, MachineLimits
from tests.load.scripted_server import OK, Reply, scripted

GET = b"GET /api/v1/tasks/t?from=0 HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"

Connect = Callable[..., HttpClient]


@pytest.fixture(name="connect")
def _connect() -> Iterator[Connect]:
    """Makes clients, and closes them."""
    clients: list[HttpClient] = []
    watchdog = Watchdog(0.02)

    def connect(url: str, patience: float = 10.0, **target: Any) -> HttpClient:
        described = Target(base_url=url, timeouts=Timeouts(connect=5.0), **target)
        client = HttpClient(Connector(described), HeadReader(), patience)
        watchdog.add(client)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()
    watchdog.stop()


def coded(coding: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (coding, len(body)) + body


def answer_of(*parts: bytes, close: bool = False) -> Reply:
    return Reply(parts, pause=0.01, close=close)


def test_one_connection_serves_many_exchanges(connect: Connect) -> None:
    with scripted() as server:
        client = connect(server.url)
        for request in (GET, POST, GET):
            answer = client.exchange(request, repeatable=request is GET)
            assert (answer.status, answer.body, answer.size) == (200, b"{}", 2)
            assert answer.received_at >= answer.sent_at
        assert (server.connections, server.requests) == (1, [GET, POST, GET])
        client.close()


@pytest.mark.parametrize(
    ("reply", "body"),
    [
        (answer_of(b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nhe", b"llo"), b"hello"),
        (
            answer_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2", b"\r\nlo\r\n0\r\n\r\n"),
            b"hello",
        ),
        (answer_of(b"HTTP/1.1 200 OK\r\n\r\nhel", b"lo", close=True), b"hello"),
        (answer_of(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", close=True), b"hello"),
        (answer_of(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), b""),
        (answer_of(b"HTTP/1.1 204 No Content\r\n\r\n"), b""),
    ],
    ids=["length, dripped", "chunked", "end of connection", "HTTP/1.0", "empty", "204"],
)
def test_every_framing_is_read(connect: Connect, reply: Reply, body: bytes) -> None:
    with scripted([reply]) as server:
        client = connect(server.url)
        assert client.exchange(GET, repeatable=True).body == body
        client.close()


def test_gzip_is_unpacked_and_counted_as_it_came(connect: Connect) -> None:
    packed = gzip.compress(b"{}" * 200) + gzip.compress(b"{}" * 300)
    with scripted([Reply((coded(b"gzip", packed),))]) as server:
        client = connect(server.url)
        answer = client.exchange(GET, repeatable=True)
        assert (answer.body, answer.size) == (b"{}" * 500, len(packed))
        client.close()


def test_a_redirect_is_an_answer_and_is_not_followed(connect: Connect) -> None:
    moved = b"HTTP/1.1 307 Moved\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n"
    with scripted([Reply((moved,))]) as server:
        client = connect(server.url)
        answer = client.exchange(POST, repeatable=False)
        assert (answer.status, answer.location) == (307, "http://elsewhere/")
        assert len(server.requests) == 1
        client.close()


@pytest.mark.parametrize("close", [Reply(close=True), Reply(parts=(OK, OK))], ids=["closed", "said something"])
@pytest.mark.parametrize("request_", [GET, POST])
def test_a_connection_that_ended_while_idle_is_replaced_before_anything_is_sent(
    connect: Connect, close: Reply, request_: bytes
) -> None:
    with scripted([close]) as server:
        client = connect(server.url)
        client.exchange(GET, repeatable=True)
        gevent.sleep(0.1)
        assert client.exchange(request_, repeatable=request_ is GET).status == 200
        assert (server.connections, len(server.requests)) == (2, 2)
        client.close()


def test_a_get_that_met_a_closing_connection_is_sent_once_more(connect: Connect) -> None:
    with scripted([Reply(), Reply((), close=True)]) as server:
        client = connect(server.url)
        client.exchange(GET, repeatable=True)
        assert client.exchange(GET, repeatable=True).status == 200
        assert (server.connections, len(server.requests)) == (2, 3)
        client.close()


def test_a_post_is_never_sent_again(connect: Connect) -> None:
    with scripted([Reply(), Reply((), close=True)]) as server:
        client = connect(server.url)
        client.exchange(GET, repeatable=True)
        with pytest.raises(ExchangeError) as failed:
            client.exchange(POST, repeatable=False)
        assert failed.value.kind == "reset"
        assert server.requests == [GET, POST]


def test_a_get_on_a_new_connection_is_not_sent_again(connect: Connect) -> None:
    with scripted([Reply((), close=True)]) as server:
        with pytest.raises(ExchangeError):
            connect(server.url).exchange(GET, repeatable=True)
        assert server.connections == 1


def test_a_reset_is_named(connect: Connect) -> None:
    with scripted([Reply((b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe",), reset=True)]) as server:
        with pytest.raises((ExchangeError, MalformedAnswerError)):
            connect(server.url).exchange(GET, repeatable=True)
        assert server.connections == 1


@pytest.mark.parametrize(
    "parts",
    [(), (b"HTTP/1.1 200",), (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", *[b"."] * 4)],
    ids=["silent", "in the head", "dripping"],
)
def test_an_exchange_is_over_at_its_deadline_however_far_it_got(connect: Connect, parts: tuple[bytes, ...]) -> None:
    with scripted([Reply(parts, pause=0.2), Reply()]) as server:
        client = connect(server.url, patience=0.3)
        with pytest.raises(ExchangeError, match=r"0\.3 s") as failed:
            client.exchange(GET, repeatable=True)
        assert failed.value.kind == "timeout"


@pytest.mark.parametrize(
    ("reply", "requirement"),
    [
        (answer_of(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", close=True), "HTTP-1"),
        (answer_of(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", close=True), "HTTP-3"),
        (answer_of(b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"), "HTTP-4"),
        (answer_of(b"HTTP/1.1 200 OK\r\nX: ", close=True), "HTTP-7"),
        (answer_of(b"HTTP/1.1 100 Continue\r\n\r\n", OK), "HTTP-5"),
        (answer_of(coded(b"br", b"{}")), "ENC-6"),
        (answer_of(coded(b"gzip", b"{}")), "ENC-7"),
        (answer_of(coded(b"gzip", gzip.compress(b"{}")[:-3])), "ENC-7"),
        (answer_of(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), "HTTP-4"),
        (answer_of(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: 1234567890\r\n" * 15_000), "HTTP-6"),
    ],
)
def test_what_is_no_answer_is_refused_under_its_requirement(connect: Connect, reply: Reply, requirement: str) -> None:
    with scripted([reply]) as server:
        with pytest.raises(MalformedAnswerError) as refused:
            connect(server.url).exchange(GET, repeatable=True)
        assert [fault.requirement for fault in refused.value.faults] == [requirement]


def test_bytes_behind_a_body_cost_the_connection_and_nothing_else(connect: Connect) -> None:
    with scripted([Reply((OK + b"surplus",))]) as server:
        client = connect(server.url)
        assert client.exchange(GET, repeatable=True).body == b"{}"
        assert client.exchange(GET, repeatable=True).body == b"{}"
        assert server.connections == 2
        client.close()


def test_nobody_listens(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ExchangeError, match="refused") as failed:
        connect(f"http://127.0.0.1:{port}").exchange(GET, repeatable=True)
    assert failed.value.kind == "connect"


def test_a_user_that_is_stopped_while_it_waits_leaves_nothing_behind(connect: Connect) -> None:
    with scripted([Reply(())]) as server:
        client = connect(server.url)
        user = gevent.spawn(client.exchange, GET, repeatable=True)
        gevent.sleep(0.1)
        user.kill()
        assert client.exchange(GET, repeatable=True).status == 200
        assert server.connections == 2
        client.close()


def test_a_proxy_is_dialled_in_place_of_the_target(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    with scripted() as server:
        monkeypatch.setenv("http_proxy", server.url)
        client = connect("http://agent.invalid")
        assert client.exchange(GET, repeatable=True).status == 200
        client.close()


@pytest.fixture(name="authority", scope="module")
def _authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture(name="tls")
def _tls(authority: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority)
    return context


def test_tls_with_a_known_authority(connect: Connect, tls: ssl.SSLContext, authority: tuple[Path, Path]) -> None:
    with scripted(tls=tls) as server:
        client = connect(server.url, ca_file=authority[0])
        for _ in range(3):
            assert client.exchange(GET, repeatable=True).body == b"{}"
        assert len(server.requests) == 3
        client.close()


def test_tls_is_verified_unless_told_otherwise(connect: Connect, tls: ssl.SSLContext) -> None:
    with scripted(tls=tls) as server:
        with pytest.raises(ExchangeError, match=r"self.signed") as failed:
            connect(server.url).exchange(GET, repeatable=True)
        assert failed.value.kind == "tls"
        client = connect(server.url, verify_tls=False)
        assert client.exchange(GET, repeatable=True).status == 200
        client.close()


def test_a_deadline_holds_under_tls_too(connect: Connect, tls: ssl.SSLContext, authority: tuple[Path, Path]) -> None:
    with scripted([Reply(())], tls=tls) as server:
        client = connect(server.url, patience=0.3, ca_file=authority[0])
        with pytest.raises(ExchangeError) as failed:
            client.exchange(GET, repeatable=True)
        assert failed.value.kind == "timeout"


@pytest.mark.parametrize(("number", "limit"), [(errno.EMFILE, Limit.OPEN_FILES), (errno.ENOBUFS, Limit.MEMORY)])
def test_what_this_machine_lacks_is_no_failure_of_the_server(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, number: int, limit: Limit
) -> None:
    monkeypatch.setattr(gevent.socket.socket, "connect_ex", lambda *_: number)
    with pytest.raises(ExchangeError) as raised:
        connect("http://127.0.0.1:1").exchange(GET, repeatable=True)
    assert raised.value.limit is limit
    assert raised.value.kind == f"the generator's {limit}"


def test_the_last_files_of_a_process_are_not_spent_on_connections(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reports have to be written."""
    monkeypatch.setattr("sendpoll.load.http.transport.machine_limits", lambda: MachineLimits(5, None, None))
    with scripted() as server:
        with pytest.raises(ExchangeError) as raised:
            connect(server.url).exchange(GET, repeatable=True)
        assert server.connections == 0
    assert raised.value.limit is Limit.OPEN_FILES
