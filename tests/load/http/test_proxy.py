"""Ways through a proxy: a tunnel to a TLS server, and what is said where there is none."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import trustme

from sendpoll.core.target.target import Target, Timeouts
from sendpoll.load.engine import Workload
from sendpoll.load.http.transport import Connector, ExchangeError
from sendpoll.load.scenario.scenario_file import load_scenario
from sendpoll.load.users.caller import POLL, Caller, CallFailed
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.validation import Breach
from tests.load.scripted_server import Reply, scripted

REFUSAL = b"HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n"
AUTHENTICATION = b"407 Proxy Authentication Required"


@pytest.fixture(name="connector")
def _connector(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Connector]:
    """Connects to a server that is asked through a proxy with a user name and a password."""

    def connector(proxy_url: str, **target: Any) -> Connector:
        monkeypatch.setenv("https_proxy", proxy_url.replace("http://", "http://me:p%40ss@"))
        return Connector(Target(base_url="https://agent.test", timeouts=Timeouts(connect=2.0), **target))

    return connector


@contextlib.contextmanager
def tunnels_to(upstream: str) -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that grants one tunnel; its URL, and the head of what it was asked."""
    heads: list[bytes] = []

    def relay(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)

    def serve() -> None:
        client, _ = listener.accept()
        host, port = upstream.removeprefix("https://").split(":")
        with client, socket.create_connection((host, int(port))) as server:
            heads.append(client.recv(65536))
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=relay, args=(server, client))
            back.start()
            relay(client, server)
            back.join()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", heads
        thread.join()


def test_a_tunnel_leads_to_the_tls_server_whose_name_is_verified(
    connector: Callable[..., Connector], tmp_path_factory: pytest.TempPathFactory
) -> None:
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("agent.test").configure_cert(tls)
    with scripted(tls=tls) as server, tunnels_to(server.url) as (proxy, heads):
        transport = connector(proxy, ca_file=file).connect()
        transport.send(b"GET / HTTP/1.1\r\n\r\n")
        assert transport.receive().startswith(b"HTTP/1.1 200 OK")
        transport.close()
    assert heads[0].startswith(b"CONNECT agent.test:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==\r\n" in heads[0]


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (
            REFUSAL % b"403 Forbidden by policy",
            r"through the proxy 127.0.0.1:\d+, there is no tunnel: .*403 Forbidden by policy",
        ),
        (REFUSAL % AUTHENTICATION, r"407 .*give it a user name and a password in the proxy's URL"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", r"it said 'SSH-2.0-OpenSSH'"),
    ],
    ids=["forbidden", "authentication", "no proxy at all"],
)
def test_a_tunnel_that_is_refused_names_the_proxy_and_what_it_said(
    connector: Callable[..., Connector], reply: bytes, told: str
) -> None:
    with scripted([Reply((reply,), close=True)]) as proxy:
        with pytest.raises(ExchangeError, match=told) as refused:
            connector(proxy.url).connect()
        assert refused.value.kind == "proxy"


def test_a_proxy_that_is_not_there_is_named(connector: Callable[..., Connector]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(ExchangeError, match=f"through the proxy 127.0.0.1:{port}, Connection refused"):
        connector(f"http://127.0.0.1:{port}").connect()


def test_a_proxy_that_wants_a_password_for_plain_http_is_no_fault_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with scripted([Reply((REFUSAL % AUTHENTICATION,))]) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        generator = Generator(Workload(Target(base_url="http://agent.test"), load_scenario("smoke")), "test")
        broken: list[Breach] = []
        caller = Caller(generator, 1, lambda *_: None)
        with pytest.raises(CallFailed, match="the proxy answered 407"):
            caller.call(POLL, caller.request_builder.poll("t").at(0), broken)
        caller.close()
        generator.stop()
    assert broken == []
    assert not generator.answered
    assert "the proxy answered 407" in generator.unconnected
