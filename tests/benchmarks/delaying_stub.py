"""The stub with known delays: each poll is answered after a random time, and the server keeps account of the truth.

`GET /truth` returns what was injected: the delay of every poll, and for every task the time from its message's arrival
until the first answer with an event left. With `--stall` all answers are withheld once, for so many seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import time
from typing import Any

from sendpoll.load.stub import stub

_POLL = re.compile(rb"GET \S*/tasks/(t\d+-\d+)\?")
_EMPTY = b'"events":[]'
_MEAN_S = 0.03
_LEAST_S = 0.005

random_source = random.Random(1)
delays: list[float] = []
sent_at: dict[str, float] = {}
first_events: dict[str, float] = {}
stall: dict[str, float] = {"from": float("inf"), "until": float("inf")}


class DelayingProtocol(stub.StubProtocol):
    """Answers late, by as much as it says later."""

    def answer(self, request: bytes) -> None:
        """Answer one request when its time has come."""
        if request.startswith(b"GET /truth "):
            truth: dict[str, Any] = {"delays": delays, "first_events": list(first_events.values())}
            self.send(200, json.dumps(truth).encode())
            return
        now = time.monotonic()
        status, body = self.reply(request)
        polled = _POLL.match(request)
        delay = 0.0
        if polled:
            delay = _LEAST_S + random_source.expovariate(1 / _MEAN_S)
        elif b"task_id" in body:
            sent_at[json.loads(body)["task_id"]] = now
        held = stall["until"] - now if stall["from"] <= now < stall["until"] else 0.0
        task = polled.group(1).decode() if polled and _EMPTY not in body else None
        asyncio.get_running_loop().call_later(
            max(delay, held), self._send_late, status, body, task, now if polled else None
        )

    def _send_late(self, status: int, body: bytes, task: str | None, came_at: float | None) -> None:
        now = time.monotonic()
        if self._transport is None or self._transport.is_closing():
            return
        if came_at is not None:
            delays.append(now - came_at)
        if task is not None and task not in first_events:
            first_events[task] = now - sent_at[task]
        self.send(status, body)


def main() -> None:
    """Serve; the first line on stdout is the base URL."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stall", type=float, default=0.0, metavar="S")
    parser.add_argument("--after", type=float, default=20.0, metavar="S", help="When the stall begins.")
    options = parser.parse_args()
    if options.stall:
        stall["from"] = time.monotonic() + options.after
        stall["until"] = stall["from"] + options.stall
    stub.run_stub(stub.Script(chunks=6, first=0.7, interval=0.6), protocol=DelayingProtocol)


if __name__ == "__main__":
    main()
