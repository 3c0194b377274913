from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from sendpoll.reference_server.app import create_app
from sendpoll.reference_server.embedded import running, running_app, spawned, start_child, stop_child
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.server import ListenError, base_url, listening
from sendpoll.reference_server.settings import Settings

Serve = Callable[[Settings], contextlib.AbstractContextManager[str]]
SETTINGS = Settings(tokens=("t",), port=0)
BOTH = pytest.mark.parametrize("serve", [running, spawned])


@BOTH
def test_the_url_is_served_inside_the_block_only(serve: Serve) -> None:
    with serve(SETTINGS) as url:
        assert httpx.get(f"{url}/healthz").status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


@BOTH
def test_a_port_in_use_is_told(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ListenError, match=f"127.0.0.1 port {port}"), serve(Settings(tokens=("t",), port=port)):
            pass


@BOTH
def test_a_database_that_cannot_be_used_is_told(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("not a database" * 100)
    with pytest.raises(StorageError, match="not a database"), serve(
        Settings(tokens=("t",), port=0, database=str(tmp_path / "a"))
    ):  # fmt: skip
        pass


def test_an_unknown_host_is_told() -> None:
    settings = Settings(tokens=("t",), host="no.such.host.invalid")
    with pytest.raises(ListenError, match="no address"), listening(settings):
        pass


def test_localhost_is_reached_by_every_address_that_it_has() -> None:
    settings = Settings(tokens=("t",), host="localhost", port=0)
    with listening(settings) as sockets:
        ports = {listener.getsockname()[1] for listener in sockets}
        assert len(ports) == 1
        assert base_url(settings, sockets) == f"http://localhost:{ports.pop()}"
        assert "127.0.0.1" in {listener.getsockname()[0] for listener in sockets}


def test_no_thread_is_left() -> None:
    before = threading.active_count()
    with running(SETTINGS):
        pass
    assert threading.active_count() == before


def test_a_wrapper_around_the_application_can_be_served() -> None:
    app = create_app(SETTINGS)

    async def wrapper(scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/healthz":
            scope = {**scope, "path": "/nowhere", "raw_path": b"/nowhere"}
        await app(scope, receive, send)

    with running_app(wrapper, SETTINGS) as url:
        assert httpx.get(f"{url}/healthz").status_code == 404
        assert httpx.get(f"{url}/openapi.json").status_code == 200


def test_the_child_ends_when_its_parent_is_gone() -> None:
    child, _ = start_child(SETTINGS)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(20) == 0
    stop_child(child)


def test_secrets_are_not_on_the_command_line_of_the_child() -> None:
    child, _ = start_child(Settings(tokens=("hush",), port=0))
    try:
        assert isinstance(child.args, list)
        assert not any("hush" in str(argument) for argument in child.args)
    finally:
        stop_child(child)
