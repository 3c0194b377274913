"""The channel between a master and its workers: encrypted, and open to nobody who lacks the secret that they share.

Locust's messages go over ZeroMQ, in clear and to whoever connects. With ZeroMQ's CURVE (RFC 26 of its specifications)
a worker has to know the master's public key before it can say a word, and no message tells that key. Here it follows
from the shared secret, so that only those who know the secret can join, listen, or be taken for the master. A stranger
on the port learns that something listens there.

An eavesdropper could try secrets against a recorded handshake: the key is derived by scrypt, and short ones are
refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import zmq
from locust.exception import RPCError
from locust.rpc import zmqrpc
from zmq.utils import z85

from sendpoll.load.engine import EngineError

LEAST_SECRET: Final = 16
"""Characters."""
_SALT: Final = b"sendpoll: master and workers"
_COST: Final = {"n": 2**15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024}
"""Of scrypt: about a tenth of a second and 32 MiB for each guess."""


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key pair of a master, in ZeroMQ's printable form."""

    secret: bytes = field(repr=False)
    public: bytes = field(repr=False)


def master_key(secret: str) -> MasterKey:
    """The key that everyone derives who knows the secret. Raises EngineError for one that is too short."""
    if len(secret) < LEAST_SECRET:
        raise EngineError(
            f"the secret of master and workers has less than {LEAST_SECRET} characters; give a longer one in "
            "SENDPOLL_CLUSTER_SECRET, such as openssl rand -hex 16 prints"
        )
    if not zmq.has("curve"):
        raise EngineError("this build of pyzmq has no CURVE, so workers cannot be told from strangers; install a wheel")
    raw = hashlib.scrypt(secret.encode(), salt=_SALT, dklen=32, **_COST)
    printable = z85.encode(raw)
    return MasterKey(printable, zmq.curve_public(printable))


def secure_locust(secret: str) -> None:
    """Let the master or worker that Locust makes next in this process speak over the secured channel.

    Raises EngineError for a secret that cannot be.
    """
    key = master_key(secret)
    vars(zmqrpc)["Server"] = partial(SecuredServer, key)
    vars(zmqrpc)["Client"] = partial(SecuredClient, key)


class SecuredServer(zmqrpc.BaseSocket):
    """Locust's server socket, which answers those who know its public key."""

    def __init__(self, key: MasterKey, host: str, port: int) -> None:
        super().__init__(zmq.ROUTER, self.ipv4_only(host, port))  # type: ignore[no-untyped-call]  # Locust leaves it so
        self.socket.curve_secretkey, self.socket.curve_publickey = key.secret, key.public
        self.socket.curve_server = True
        try:
            self.port = self.socket.bind_to_random_port(f"tcp://{host}") if port == 0 else port
            if port:
                self.socket.bind(f"tcp://{host}:{port}")
        except zmq.ZMQError as error:
            raise RPCError(f"Socket bind failure: {error}") from error


class SecuredClient(zmqrpc.BaseSocket):
    """Locust's client socket, which speaks to nobody but the master of its secret."""

    def __init__(self, key: MasterKey, host: str, port: int, identity: str) -> None:
        super().__init__(zmq.DEALER, self.ipv4_only(host, port))  # type: ignore[no-untyped-call]  # Locust leaves it so
        public, secret = zmq.curve_keypair()
        self.socket.curve_secretkey, self.socket.curve_publickey = secret, public
        self.socket.curve_serverkey = key.public
        self.socket.setsockopt(zmq.IDENTITY, identity.encode())
        self.socket.connect(f"tcp://{host}:{port}")
