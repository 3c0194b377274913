"""Gives Locust's runners a clock that nobody sets.

They take the time of day for heartbeats and for the order of their own messages: where it is set ahead, workers leave
for want of a heartbeat, and where it is set back, they ignore every order that follows.
"""

from __future__ import annotations

import time
from types import SimpleNamespace

import locust.runners


def steady_locust() -> None:
    """Let Locust's master and worker runners of this process tell time by the steady clock.

    What they compare across machines are stamps of one machine alone, so it does not matter where its zero lies.
    """
    vars(locust.runners)["time"] = SimpleNamespace(time=time.monotonic)
