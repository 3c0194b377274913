"""Runs the command on a clock that goes many times as fast: `python -m tests.conformance.hurried 20 check URL ...`.

A run on a slow agent waits for most of its time. Where agent and command live that many times as fast, the run is the
same one, of the same decisions by the same patience, and is over sooner. What a request costs is not hurried: it seems
to take that many times as long, as over a long line.
"""

from __future__ import annotations

import select
import sys
import threading
import time
from typing import Any

from sendpoll.cli.main import main


def hurry(times: float) -> None:
    """Let the monotonic clock of this process, and all that waits by it, go so many times as fast."""
    clock, sleep, wait, ready = time.monotonic, time.sleep, threading.Condition.wait, select.select
    began = clock()

    def monotonic() -> float:
        return began + times * (clock() - began)

    def waits(self: threading.Condition, timeout: float | None = None) -> bool:
        return wait(self, None if timeout is None else timeout / times)

    def selects(*given: Any) -> Any:
        *watched, seconds = given  # all of ours have a bound
        return ready(watched[0], watched[1], watched[2], seconds / times)

    time.monotonic = monotonic
    threading._time = monotonic  # type: ignore[attr-defined]  # by which `Condition.wait_for` counts
    time.sleep = lambda seconds: sleep(float(seconds) / times)
    threading.Condition.wait = waits  # type: ignore[method-assign]  # the clock of the whole process is another
    select.select = selects


if __name__ == "__main__":
    hurry(float(sys.argv.pop(1)))
    main()
