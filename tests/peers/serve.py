"""Runs a peer for the length of a `with` block, as the process that it is."""

from __future__ import annotations

import contextlib
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

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return Path(self.file).stem


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
)
"""All of them, by the file that each is."""


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[str]:
    """Start the peer on a free port; yield its base URL."""
    interpreter = "node" if peer.file.endswith(".mjs") else sys.executable
    command = [interpreter, str(_FOLDER / peer.file), "0", TOKEN, SECOND_TOKEN]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
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
