"""Connections: TLS, proxies of the environment, IPv6, base URLs with a path, and why one could not be made."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.transport.connection import Connection, NoConnectionError
from sendpoll.core.dialing.dial import Dialer
from sendpoll.core.target.target import Target, Timeouts
from sendpoll.core.target.url import TargetError
from tests.conformance.exchanges import asked
from tests.conformance.raw_server import RawServer, always, ask, reply, serving

ANSWER = reply({"data": {}})
HOST_LINE = (("Host", "x"),)


@pytest.fixture(autouse=True)
def _no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_a_resolver_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def never(*_: object, **__: object) -> list[object]:
        over.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", never)
    began = time.monotonic()
    try:
        assert why_not(Target("http://slow.example:8091", timeouts=Timeouts(connect=0.2))) == (
            "its name was not resolved in time"
        )
    finally:
        over.set()
    assert time.monotonic() - began < 30


def send(target: Target, **changes: object) -> int:
    return Recorder(target).send(asked("pollTask", headers=HOST_LINE, **changes)).status


def why_not(target: Target) -> str:
    with pytest.raises(NoConnectionError) as raised:
        Connection(Dialer(target), time.monotonic() + 10)
    return str(raised.value)


def first_line(server: RawServer) -> bytes:
    return server.requests[0].partition(b"\r\n")[0]


# ---- where to ----


@pytest.mark.parametrize("path", ["", "/agents", "/a/b%20c/"])
def test_the_path_of_the_base_url_stands_before_every_target(path: str) -> None:
    with serving(always(ANSWER)) as server:
        send(Target(base_url=server.url + path))
        assert first_line(server) == f"GET {path.rstrip('/')}/api/v1/tasks/task_1 HTTP/1.1".encode()


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_a_server_on_ipv6_is_reached() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with serving(always(ANSWER), host="::1") as server:
        target = Target(base_url=f"http://[::1]:{server.port}")
        assert send(target) == 200
        assert Recorder(target).send(asked("pollTask"), host="127.0.0.1").failure is not None


def test_bytes_go_out_as_they_are() -> None:
    with serving(always(ANSWER)) as server:
        request = asked("sendMessage", headers=(("x-B", "é"), ("X-a", ""), ("Content-Length", "3")), body=b"\xff\0\n")
        Recorder(Target(base_url=server.url)).send(request)
        assert server.requests == [
            b"POST /api/v1/workspaces/ws1/messages HTTP/1.1\r\nx-B: \xe9\r\nX-a: \r\nContent-Length: 3\r\n\r\n\xff\0\n"
        ]


def test_several_requests_over_one_connection_have_its_number() -> None:
    with serving(always(ANSWER)) as server:
        recorder = Recorder(Target(base_url=server.url))
        with recorder.connect() as connection:
            kept = [recorder.send(asked("pollTask"), connection=connection).connection for _ in range(3)]
        assert len(set(kept)) == 1
        assert recorder.send(asked("pollTask")).connection != kept[0]


def test_a_connection_that_the_server_closed_is_known_to_be() -> None:
    release = threading.Event()

    def handle(server: RawServer, connection: socket.socket) -> None:
        ask(server, connection)
        connection.sendall(ANSWER)
        release.wait(10)

    with (
        serving(handle) as server,
        Connection(Dialer(Target(base_url=server.url)), time.monotonic() + 10) as connection,
    ):
        connection.exchange(asked("pollTask"), time.monotonic() + 10)
        assert not connection.closed_by_server(within=0.05)
        release.set()
        assert connection.closed_by_server(within=10)


# ---- why not ----


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert why_not(Target(base_url=f"http://127.0.0.1:{port}")) == "Connection refused"


def test_the_name_is_unknown() -> None:
    assert why_not(Target(base_url="http://nothing.invalid")) == "its name cannot be resolved"


def test_a_label_that_no_name_can_have() -> None:
    assert why_not(Target(base_url=f"http://{'x' * 70}.example"))


# ---- TLS ----


@pytest.fixture(name="authority", scope="module")
def _authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(name="ca_file")
def _ca_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return path


def server_context(authority: trustme.CA, name: str = "localhost") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def test_a_server_whose_authority_is_named_is_trusted(authority: trustme.CA, ca_file: Path) -> None:
    spoken: list[str | None] = []

    def handle(server: RawServer, connection: socket.socket) -> None:
        assert isinstance(connection, ssl.SSLSocket)
        spoken.append(connection.selected_alpn_protocol())
        always(ANSWER)(server, connection)

    with serving(handle, tls=server_context(authority)) as server:
        assert send(Target(base_url=f"https://localhost:{server.port}", ca_file=ca_file)) == 200
    assert spoken == ["http/1.1"]


def test_a_server_of_an_unknown_authority_is_not(authority: trustme.CA) -> None:
    with serving(always(ANSWER), tls=server_context(authority)) as server:
        told = why_not(Target(base_url=f"https://localhost:{server.port}"))
        assert "its certificate is not trusted" in told
        assert "--ca-file" in told


def test_a_certificate_for_another_name_is_not(authority: trustme.CA, ca_file: Path) -> None:
    with serving(always(ANSWER), tls=server_context(authority, "other.example")) as server:
        told = why_not(Target(base_url=f"https://localhost:{server.port}", ca_file=ca_file))
        assert "its certificate is not trusted" in told


def test_verification_can_be_left_out(authority: trustme.CA) -> None:
    with serving(always(ANSWER), tls=server_context(authority, "other.example")) as server:
        assert send(Target(base_url=f"https://localhost:{server.port}", verify_tls=False)) == 200


def test_a_server_that_does_not_speak_tls_is_told_so() -> None:
    with serving(lambda _, connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        assert "does not speak TLS" in why_not(Target(base_url=f"https://localhost:{server.port}"))


def test_a_server_that_is_silent_in_the_handshake_is_given_up() -> None:
    def hold(_: RawServer, connection: socket.socket) -> None:
        while connection.recv(100_000):
            pass

    with serving(hold) as server:
        impatient = Target(base_url=f"https://localhost:{server.port}", timeouts=Timeouts(connect=0.3))
        assert "in time" in why_not(impatient)


@pytest.mark.parametrize("content", ["", "no certificate", None])
def test_a_ca_file_that_holds_none_is_blamed_and_not_the_server(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(TargetError, match="holds no certificate of an authority in PEM"):
        Dialer(Target(base_url="https://localhost:1", ca_file=path))


def test_a_session_ticket_does_not_end_a_wait(authority: trustme.CA, ca_file: Path) -> None:
    """TLS 1.3 servers send tickets on an idle connection; there is something to read then, and nothing to say."""
    with serving(always(ANSWER), tls=server_context(authority)) as server:
        target = Target(base_url=f"https://localhost:{server.port}", ca_file=ca_file)
        with Connection(Dialer(target), time.monotonic() + 10) as connection:
            began = time.monotonic()
            assert not connection.closed_by_server(within=0.3)
            assert time.monotonic() - began >= 0.25


# ---- proxies ----


@contextlib.contextmanager
def proxy(upstream: int, refusal: bytes = b"") -> Iterator[RawServer]:
    """A proxy that leads every request to one port of this machine, whatever host was asked for."""

    def handle(server: RawServer, connection: socket.socket) -> None:
        request = ask(server, connection)
        if refusal:
            connection.sendall(refusal)
            return
        with socket.create_connection(("127.0.0.1", upstream)) as onward:
            if request.startswith(b"CONNECT "):
                connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                onward.sendall(request)
            shovel(connection, onward)

    with serving(handle) as server:
        yield server


def shovel(one: socket.socket, other: socket.socket) -> None:
    while True:
        for source in select.select([one, other], [], [])[0]:
            data = source.recv(65_536)
            if not data:
                return
            (other if source is one else one).sendall(data)


UseProxy = Callable[[str], None]


@pytest.fixture(name="use_proxy")
def _use_proxy(monkeypatch: pytest.MonkeyPatch) -> UseProxy:
    def use(url: str) -> None:
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, url)

    return use


def test_plain_requests_go_to_the_proxy_in_absolute_form(use_proxy: UseProxy) -> None:
    with serving(always(ANSWER)) as server, proxy(server.port) as between:
        use_proxy(f"http://us%40er:pass@127.0.0.1:{between.port}")
        assert send(Target(base_url="http://server.example:8091/base")) == 200
        assert first_line(between) == b"GET http://server.example:8091/base/api/v1/tasks/task_1 HTTP/1.1"
        assert b"\r\nProxy-Authorization: Basic dXNAZXI6cGFzcw==\r\n" in between.requests[0]


def test_tls_goes_through_a_tunnel(use_proxy: UseProxy, authority: trustme.CA, ca_file: Path) -> None:
    """The proxy sees where to, its own credentials and nothing else; the server sees none of these."""
    with (
        serving(always(ANSWER), tls=server_context(authority, "server.example")) as server,
        proxy(server.port) as between,
    ):
        use_proxy(f"http://user:pass@127.0.0.1:{between.port}")
        assert send(Target(base_url="https://server.example/base", ca_file=ca_file)) == 200
        (asked_for,) = between.requests
        assert asked_for.split(b"\r\n") == [
            b"CONNECT server.example:443 HTTP/1.1",
            b"Host: server.example:443",
            b"Proxy-Authorization: Basic dXNlcjpwYXNz",
            b"",
            b"",
        ]
        assert first_line(server) == b"GET /base/api/v1/tasks/task_1 HTTP/1.1"
        assert b"Proxy-Authorization" not in server.requests[0]


@pytest.mark.parametrize("refusal", [b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", b"nonsense\r\n\r\n"])
def test_a_proxy_that_refuses_the_tunnel_is_named(use_proxy: UseProxy, refusal: bytes) -> None:
    with proxy(0, refusal) as between:
        use_proxy(f"http://user:hunter2@127.0.0.1:{between.port}")
        told = why_not(Target(base_url="https://server.example"))
        assert f"through the proxy 127.0.0.1:{between.port}, there is no tunnel" in told
        assert "hunter2" not in told


def test_a_proxy_that_drips_is_given_up(use_proxy: UseProxy) -> None:
    def drip(server: RawServer, connection: socket.socket) -> None:
        ask(server, connection)
        for byte in b"HTTP/1.1 200 " + b"x" * 10_000:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    with serving(drip) as between:
        use_proxy(f"http://127.0.0.1:{between.port}")
        began = time.monotonic()
        assert why_not(Target(base_url="https://server.example", timeouts=Timeouts(connect=0.5)))
        assert time.monotonic() - began < 20


def test_a_proxy_that_is_not_there_is_named(use_proxy: UseProxy) -> None:
    with serving(always(ANSWER)) as gone:
        pass
    use_proxy(f"http://127.0.0.1:{gone.port}")
    told = why_not(Target(base_url="http://server.example"))
    assert told == f"through the proxy 127.0.0.1:{gone.port}, Connection refused"


@pytest.mark.parametrize("url", ["socks5://127.0.0.1:1", "https://127.0.0.1:1"])
def test_a_proxy_of_another_kind_is_told(use_proxy: UseProxy, url: str) -> None:
    use_proxy(url)
    with pytest.raises(TargetError, match="give an http:// one"):
        Dialer(Target(base_url="http://server.example"))


def test_this_machine_is_spoken_to_directly(use_proxy: UseProxy) -> None:
    use_proxy("http://127.0.0.1:9")
    with serving(always(ANSWER)) as server:
        assert send(Target(base_url=server.url)) == 200
        assert send(replace(Target(), base_url=f"http://localhost:{server.port}")) == 200


def test_hosts_that_the_environment_excepts_are_spoken_to_directly(
    use_proxy: UseProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_proxy("http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "nothing.invalid")
    assert why_not(Target(base_url="http://nothing.invalid")) == "its name cannot be resolved"
