"""How often a task is polled: about as many times whatever it takes, more often only at the moments that matter.

A reader that polls a task of half a second each 50 ms sees it ten times. One that polled a task of a minute as often
would ask a thousand times, and learn nothing from most of it. So pauses grow with the time of a task, and whatever
reader first sees it move wakes the others.
"""

from __future__ import annotations

import threading
import time

from sendpoll.conformance.server.probing.in_flight import InFlight
from sendpoll.conformance.server.probing.pacing import Pace

SLOW = 5.0
"""Seconds that a task takes from which on the server is asked gently."""
GENTLE = 20.0
"""Requests a second, at most, that such a server is asked."""
_CLIENTS_PAUSE = 0.5
"""Seconds between two polls of the published clients."""
_POLLS = 60
"""Polls, at most, of one task by a reader at the clients' pace."""
_PRESSING = 0.004
"""Seconds between two polls of an eager reader when a task is about to end, if the server takes that."""
_NEAR = 0.06
"""Part of a task's time, before and behind the moments at which others ended, in which it may be about to."""
_LIKELY_ENDS = 12
"""Tasks after whose times the end of another is expected."""
_ENOUGH = 40
"""Polls of one slow task by all its readers after which they come half as often, and so on."""
_LOOK = 0.2


class Tempo:
    """The pauses of all readers of a run. Safe for several threads."""

    def __init__(self, in_flight: InFlight, pace: Pace, declared: float | None) -> None:
        """`declared` is how many seconds a task takes, if the user says so."""
        self._in_flight = in_flight
        self._pace = pace
        self._declared = declared or 0.0

    @property
    def seconds(self) -> float:
        """How long a task takes, as far as is known by now."""
        took = self._in_flight.seconds()
        usual = sorted(took)[len(took) // 2] if took else self._declared
        return usual if took else max(usual, self._in_flight.longest_running())

    @property
    def is_slow(self) -> bool:
        """Whether tasks are so slow that the server is asked gently."""
        slow = max(self.seconds, self._in_flight.longest_running()) >= SLOW
        if slow:
            self._pace.keep_to(GENTLE)
        return slow

    def pause(self, habit: float, task_id: str) -> float:
        """Seconds between two polls of a task by a reader that would poll one of a second so often."""
        if 2 * habit < _CLIENTS_PAUSE and self._may_end_now(task_id):
            return min(habit, _PRESSING)
        seconds = max(self.seconds, self._in_flight.longest_running())
        flight = self._in_flight.flights.get(task_id)
        if seconds >= SLOW and flight is not None:
            seconds *= 2 ** min(flight.polls // _ENOUGH, 6)
        if habit >= _CLIENTS_PAUSE:
            return max(habit, seconds / _POLLS)
        return habit * max(1.0, seconds)

    def _may_end_now(self, task_id: str) -> bool:
        """Whether a task has come to the age at which others ended: what is written then is read halfway by some polls.

        A server that is slow, or limits the pace, is spared.
        """
        flight = self._in_flight.flights.get(task_id)
        if flight is None or flight.is_over or self._pace.is_bounded or self.is_slow:
            return False
        age = time.monotonic() - flight.sent_at
        return any(abs(age - took) <= _NEAR * took for took in self._in_flight.seconds()[-_LIKELY_ENDS:])

    def wait(self, task_id: str, seconds: float, over: threading.Event) -> None:
        """Wait so long, or until another reader sees the task move, where that is worth a look, or all is `over`."""
        if seconds <= _CLIENTS_PAUSE:
            over.wait(seconds)
            return
        flight = self._in_flight.flights.get(task_id)
        began = time.monotonic()
        with self._in_flight.changed:
            while (left := began + seconds - time.monotonic()) > 0:
                self._in_flight.changed.wait(min(_LOOK, left))
                if over.is_set() or (flight is not None and flight.moment_at > began):
                    return
