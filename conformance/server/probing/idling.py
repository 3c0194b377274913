"""What becomes of a connection that idles between two polls."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.recorder import Recorder

PAUSES = (0.4, 0.5, 0.6, 2.0)
"""Seconds between an answer and the next request on its connection: around the poll interval, and well above."""

_TIMES = 3
"""How often a pause is tried in which a connection ended."""
_LAG = 0.3
"""Seconds by which this machine, or another request that had to be alone, may make a pause longer."""


@dataclass(frozen=True, slots=True)
class Idle:
    """One pause on a connection that the server had promised to keep."""

    pause: float
    closed_after: float | None
    """Seconds after which the server closed it; None where it did not, or had said that it would."""
    broken: str | None
    """How the next request was not answered."""
    exchanges: tuple[Exchange, ...]


def idle_between_polls(recorder: Recorder, api: Api, task: str, pause: float) -> Idle:
    """Poll, pause, and poll again on the same connection, unless the server closed it meanwhile as it may.

    A busy machine makes pauses longer, so that what is seen to end is looked at again, and only what shows each time is
    told, with the shortest of its times. Raises NoConnectionError, RunOverError, TargetLostError.
    """
    found = [_idle_once(recorder, api, task, pause)]
    while len(found) < _TIMES and not _is_calm(found[-1]):
        found.append(_idle_once(recorder, api, task, pause))
    return min(found, key=lambda idle: (not _is_calm(idle), idle.broken is not None, idle.closed_after or 0.0))


def _is_calm(idle: Idle) -> bool:
    """Whether nothing was seen to end."""
    return idle.closed_after is None and idle.broken is None


def _idle_once(recorder: Recorder, api: Api, task: str, pause: float) -> Idle:
    with recorder.connect() as connection:
        before = api.poll(task, 0, over=connection).trimmed()
        if before.response is None or not before.response.keeps_alive:
            return Idle(pause, None, None, (before,))
        began = time.monotonic()
        if connection.closed_by_server(within=min(pause, recorder.remaining())):
            return Idle(pause, time.monotonic() - began, None, (before,))
        after = api.poll(task, 0, over=connection).trimmed()
        waited = after.timing.started - before.timing.finished
        lost = after.response is None and waited < pause + _LAG  # later, the server may have ended it as it may
        sentence = f"a request {pause:g} s after an answer on the same connection: {after.outcome}" if lost else None
        return Idle(pause, None, sentence, (before, after))
