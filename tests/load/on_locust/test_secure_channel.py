"""Who lacks the secret of master and workers learns nothing and changes nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import gevent
import pytest
import zmq.green as zmq

from sendpoll.load.engine import EngineError
from tests.load.patchless import imported

if TYPE_CHECKING:
    from locust.rpc import Message
    from locust.rpc.zmqrpc import Client, Server

    from sendpoll.load.on_locust.secure_channel import LEAST_SECRET, SecuredClient, SecuredServer, master_key
else:
    channel = imported("on_locust.secure_channel")
    LEAST_SECRET, master_key = channel.LEAST_SECRET, channel.master_key
    SecuredClient, SecuredServer = channel.SecuredClient, channel.SecuredServer
    Message = channel.zmqrpc.Message
    Client, Server = channel.zmqrpc.Client, channel.zmqrpc.Server

SECRET = "a secret of sixteen characters and more"
JOIN = Message("sendpoll_join", {"pid": 1}, "worker")
REFUSED = Message("sendpoll_refused", {"name": "x", "reason": "no"}, "worker")
Open = Callable[[Any], Any]
WAIT_S = 0.5


@pytest.fixture(name="opened")
def _opened() -> Iterator[Open]:
    """Closes what a test opens."""
    sockets: list[Any] = []

    def opened(socket: Any) -> Any:
        sockets.append(socket)
        return socket

    yield opened
    for socket in sockets:
        context = socket.socket.context  # each of Locust's sockets has one of its own
        socket.close(linger=0)
        context.term()


def heard(receive: Callable[[], Any]) -> Any:
    """What comes within a moment; None where nothing does."""
    greenlet = gevent.spawn(receive)
    greenlet.join(WAIT_S)
    greenlet.kill()
    return None if isinstance(greenlet.value, gevent.GreenletExit) else greenlet.value


def test_who_knows_the_secret_is_heard_and_answered(opened: Open) -> None:
    server = opened(SecuredServer(master_key(SECRET), "127.0.0.1", 0))
    worker = opened(SecuredClient(master_key(SECRET), "127.0.0.1", server.port, "worker"))
    worker.send(JOIN)
    with gevent.Timeout(20):
        identity, message = server.recv_from_client()
        assert (identity, message.type, message.data) == ("worker", JOIN.type, JOIN.data)
        server.send_to_client(Message("ack", {"index": 0}, "worker"))
        assert worker.recv().data == {"index": 0}


@pytest.mark.parametrize("message", [JOIN, REFUSED, Message("client_ready", "2.47.0", "worker")])
def test_a_stranger_is_not_heard(opened: Open, message: Message) -> None:
    """Neither who speaks Locust's own protocol in clear, nor who has another secret."""
    server = opened(SecuredServer(master_key(SECRET), "127.0.0.1", 0))
    plain = opened(Client("127.0.0.1", server.port, "worker"))
    other = opened(SecuredClient(master_key(SECRET[::-1]), "127.0.0.1", server.port, "worker"))
    for stranger in (plain, other):
        with contextlib.suppress(zmq.Again):  # its connection has been closed already
            stranger.socket.send(message.serialize(), zmq.NOBLOCK)
    assert heard(server.recv_from_client) is None


def test_a_worker_says_nothing_to_another_master(opened: Open) -> None:
    """Neither to one in clear, nor to one of another secret: its reports name the server and what it said."""
    for impostor in (
        opened(Server("127.0.0.1", 0)),
        opened(SecuredServer(master_key(SECRET[::-1]), "127.0.0.1", 0)),
    ):
        worker = opened(SecuredClient(master_key(SECRET), "127.0.0.1", impostor.port, "worker"))
        with contextlib.suppress(zmq.Again):
            worker.socket.send(JOIN.serialize(), zmq.NOBLOCK)
        assert heard(impostor.recv_from_client) is None


def test_a_key_follows_from_the_secret_alone_and_is_not_shown() -> None:
    key = master_key(SECRET)
    assert key == master_key(SECRET)
    assert key.public != master_key(SECRET + ".").public
    assert key.secret.decode() not in repr(key)


def test_a_short_secret_is_refused_with_a_mend() -> None:
    with pytest.raises(EngineError, match="openssl rand"):
        master_key("x" * (LEAST_SECRET - 1))
