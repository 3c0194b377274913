"""The child of `embedded.spawned`: settings as one line of JSON on standard input, the base URL on standard output.

It serves until standard input ends, so it cannot outlive who started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading

from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.server import ListenError, run
from sendpoll.reference_server.settings import Settings


def main() -> int:
    """Serve; return the exit code."""
    given = json.loads(sys.stdin.readline())
    for name in ("tokens", "cors_origins"):
        given[name] = tuple(given[name])
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        run(Settings(**given), lambda url: _say("listening", url))
    except (ListenError, StorageError) as problem:
        _say(type(problem).__name__, str(problem))
        return 1
    return 0


def _end_with_input() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _say(kind: str, text: str) -> None:
    sys.stdout.write(f"{kind} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
