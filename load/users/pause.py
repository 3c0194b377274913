"""Lets one user sleep: gevent's own sleep with what a thousand sleepers a second do not need left out."""

from __future__ import annotations

import time

from gevent import get_hub, getcurrent

_now = time.perf_counter


def pause_until(moment: float) -> None:
    """Sleep until a moment of `time.perf_counter`; at once if it has passed.

    Unlike Locust's waiting, this is not ended by a user being asked to stop: it ends early only when it is killed.
    """
    delay = moment - _now()
    if delay <= 0:
        return
    hub = get_hub()
    timer = hub.loop.timer(delay)
    timer.start(getcurrent().switch)
    try:
        hub.switch()
    finally:
        timer.close()
