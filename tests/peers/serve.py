"""Runs a peer for the length of a `with` block, as the process that it is."""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

TOKEN = "peer-token-of-the-first"
SECOND_TOKEN = "peer-token-of-the-second"
_FOLDER = Path(__file__).parent
_STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Peer:
    """A server that is right and different."""

    file: str
    difference: str
    """In what it differs from the reference server."""
    lacks: Mapping[str, str]
    """Row that does not pass, SHOULD ones alone, to the reason why this server truly does not have it."""
    options: tuple[str, ...] = ()
    """What the program is given beside its port and its tokens."""
    module: str = ""
    """The package of npm that it needs, or the Python module, or the program of the system."""

    @property
    def name(self) -> str:
        """The file's name without its ending, and its options."""
        return "".join((Path(self.file).stem, *self.options))

    @property
    def command(self) -> list[str]:
        """How it is started."""
        if self.file.endswith(".mjs"):
            return ["node", str(_FOLDER / self.file), "0", TOKEN, SECOND_TOKEN, *self.options]
        return [sys.executable, "-m", f"tests.peers.{Path(self.file).stem}", "0", TOKEN, SECOND_TOKEN, *self.options]

    @property
    def missing(self) -> str:
        """Why it cannot run here; empty where it can."""
        if self.file.endswith(".mjs"):
            if shutil.which("node") is None:
                return "node is not installed"
            there = not self.module or (_FOLDER / "node_modules" / self.module).is_dir()
            return "" if there else f"{self.module} is not installed: npm install --prefix tests/peers"
        found = not self.module or shutil.which(self.module) or importlib.util.find_spec(self.module)
        return "" if found else f"{self.module} is not installed"


_OF_THE_PUBLIC_SHAPE = {"CACHE-1": "it sends no Cache-Control"}

PEERS = (
    Peer("stdlib_threads.py", "HTTP/1.0, closes behind every answer, charset in capitals, 416 for an offset ahead", {}),
    Peer(
        "aiohttp_gzip.py", "gzip where offered, offsets in microseconds, events with null data, the origin repeated", {}
    ),
    Peer(
        "flask_escapes.py",
        "escapes in place of UTF-8, no charset, two chunks an answer, 403 without a token",
        {"AUTH-4": "it answers no call with 401"},
    ),
    Peer("fastapi_long_poll.py", "200 for everything, polls held for up to 20 s, keys of its own, nested alike", {}),
    Peer("node_splits.mjs", "chunks of five bytes, quoted charset, 403 for what is somebody else's", {}),
    Peer("streams_byte_offsets.py", "offsets are bytes of a log, header names in capitals, chunk extensions", {}),
    Peer("h11_pages.py", "at most three events an answer, running until the last page", {}),
    Peer("wsgi_empty_end.py", "slow to start, the final status comes only with an answer without events", {}),
    Peer("sockets_to_the_end.py", "bodies end with the connection, 409 to a message while one runs, signs in ids", {}),
    Peer(
        "flask_public.py",
        "one task at a time for each user and workspace, conversations made where none is named, no unknown keys",
        _OF_THE_PUBLIC_SHAPE,
    ),
    Peer("flask_public.py", "the same for each user", _OF_THE_PUBLIC_SHAPE, options=("--one-for-each-user",)),
    Peer("durable_streams.mjs", "a log server's byte offsets", {}, module="@durable-streams/server"),
    Peer(
        "express_plain.mjs",
        "Express with its JSON reader, HTML for unknown paths",
        {"METHOD-1": "Express answers 404 to a method for which a path has no route"},
        module="express",
    ),
    Peer("supervisor_slots.py", "processes in three slots, their output by byte offsets", {}, module="supervisor"),
    Peer("nginx_limited.py", "nginx in front, 20 requests a second and then 503", {}, module="nginx"),
)
"""All of them, by the file that each is."""


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[str]:
    """Start the peer on a free port; yield its base URL."""
    root = _FOLDER.parents[1]
    with subprocess.Popen(
        peer.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root
    ) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if not line.startswith("ready "):
                raise RuntimeError(f"{peer.file} did not start")
            yield f"http://127.0.0.1:{line.split()[1]}"
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
