"""A proxy in a process of its own: its settings as one line of JSON on standard input, its URL on standard output.

It passes, and breaks what it is told to, until standard input ends; its last line is what the faults cost. It judges
nothing, so that load through it costs little.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path

from sendpoll.core.target.target import Target
from sendpoll.core.target.url import TargetError
from sendpoll.proxy.faults import FaultError, load_faults
from sendpoll.proxy.relay import ProxyOrder, ProxyServer


def main() -> int:
    """Serve; return the exit code."""
    told = json.loads(sys.stdin.readline())
    ca_file, cert, key = (Path(told[name]) if told[name] else None for name in ("ca_file", "client_cert", "client_key"))
    try:
        target = Target(
            base_url=told["base_url"], verify_tls=told["verify_tls"], ca_file=ca_file, client_cert=cert, client_key=key
        )
        order = ProxyOrder(target, rules=load_faults(Path(told["network"])), seed=told["seed"])
        server = ProxyServer(order, lambda _: None, lambda problem: print(problem, file=sys.stderr))  # noqa: T201 - the user's terminal
    except (FaultError, TargetError) as problem:
        _say("refused", str(problem))
        return 1

    def end_with_input() -> None:
        sys.stdin.read()
        server.stop()

    threading.Thread(target=end_with_input, daemon=True).start()
    server.run(lambda url: _say("listening", url))
    _say("cost", json.dumps(server.cost.as_json()))
    return 0


def _say(kind: str, text: str) -> None:
    sys.stdout.write(f"{kind} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
