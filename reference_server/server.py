"""The application on uvicorn: sockets, signals, and a stop that lets answers in flight arrive."""

from __future__ import annotations

import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from sendpoll.reference_server.app import create_app
from sendpoll.reference_server.bounded_protocol import BoundedProtocol
from sendpoll.reference_server.database import check_database
from sendpoll.reference_server.log import logging_to_stderr
from sendpoll.reference_server.settings import Settings

KEEP_ALIVE_SECONDS = 75
"""Far above the half second between polls: Node dies if the server closes a connection that it is about to reuse."""
_GRACE_SECONDS = 10
_BACKLOG = 2048


class ListenError(Exception):
    """The address cannot be listened on; the message says why."""


class AnnouncingServer(uvicorn.Server):
    """A uvicorn server that calls back once it listens."""

    def __init__(self, app: ASGIApp, on_started: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=BoundedProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                # Its warnings are about what clients send, which the client is told.
                log_level="error",
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, then call back."""
        await super().startup(sockets)
        if self.started:
            self._on_started()


def run(settings: Settings, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `announce` gets the base URL once the server listens.

    Raises ListenError or StorageError if it cannot start.
    """
    check_database(settings.database)
    with listening(settings) as sockets:
        url = base_url(settings, sockets)
        server = AnnouncingServer(create_app(settings), lambda: announce(url))
        _allow_connections()
        with logging_to_stderr(), _stopping(server):
            server.run(sockets)


@contextlib.contextmanager
def listening(settings: Settings) -> Iterator[list[socket.socket]]:
    """Sockets on every address of the host, all on one port. Raises ListenError."""
    with contextlib.ExitStack() as stack:
        sockets: list[socket.socket] = []
        port = settings.port
        refusal: OSError | None = None
        for family, address in _addresses(settings.host, port):
            try:
                listener = _listen(family, address, port)
            except OSError as problem:
                # `localhost` may name an address that this machine does not have, as ::1 in many containers.
                if problem.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise ListenError(f"cannot listen on {settings.host} port {port}: {problem.strerror}") from problem
                refusal = problem
                continue
            sockets.append(stack.enter_context(listener))
            port = listener.getsockname()[1]
        if not sockets:
            reason = refusal.strerror if refusal else "it has no address"
            raise ListenError(f"cannot listen on {settings.host} port {port}: {reason}")
        yield sockets


def base_url(settings: Settings, sockets: Sequence[socket.socket]) -> str:
    """The URL under which the sockets are reached."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{sockets[0].getsockname()[1]}"


def _allow_connections() -> None:
    """Have as many open files, and so connections, as this process may have: shells give far fewer at first."""
    try:
        import resource  # noqa: PLC0415 - there is none on Windows, where files are not limited so
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Some systems say "unlimited" and refuse it; what there is has to do then.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, str]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as problem:
        raise ListenError(f"cannot listen on {host}: the name has no address ({problem})") from problem
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    return socket.create_server((address, port), family=family, backlog=_BACKLOG)


@contextlib.contextmanager
def _stopping(server: AnnouncingServer) -> Iterator[None]:
    """Make SIGTERM and SIGINT end the server, and the process with code 0.

    uvicorn raises a signal again when it has shut down, for whoever handled it before; that is this handler, for which
    it is then no news.
    """

    def stop(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
