"""Puts exchanges in the order of their answers, within a bounded window, and tells which cannot be put in any.

Recorders write exchanges in the order of their requests, or of their answers. Where both times go back from one poll
of a task to the next, the clock was set, or the file is of no order: then nobody knows what came first.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator

from sendpoll.conformance.recordings.recorded_exchange import RecordedExchange
from sendpoll.conformance.recordings.threads.known_ids import BoundedMap

_WINDOW = 1000
"""Exchanges that are held back until it is clear that no earlier answer follows."""
_WINDOW_BYTES = 16 * 1024 * 1024
_SLACK = 0.002
"""Seconds within which two moments may have been rounded past each other."""


def in_order(exchanges: Iterable[RecordedExchange]) -> Iterator[tuple[RecordedExchange, bool]]:
    """Each exchange in the order of the answers, and whether it stands in order with all others of its path."""
    waiting: list[tuple[float, int, RecordedExchange]] = []
    held = 0
    latest: BoundedMap[str, tuple[float, float]] = BoundedMap()
    disordered: BoundedMap[str, bool] = BoundedMap()
    passed: BoundedMap[str, float] = BoundedMap()

    def out() -> tuple[RecordedExchange, bool]:
        nonlocal held
        finished, _, one = heapq.heappop(waiting)
        held -= _size(one)
        path = _path(one)
        if finished < passed.get(path, 0.0) - _SLACK:
            disordered[path] = True
        passed[path] = max(finished, passed.get(path, 0.0))
        return one, path not in disordered

    for number, one in enumerate(exchanges):
        path, timing = _path(one), one.timing
        started, finished = latest.get(path, (0.0, 0.0))
        if timing.started < started - _SLACK and timing.finished < finished - _SLACK:
            disordered[path] = True
        latest[path] = max(started, timing.started), max(finished, timing.finished)
        heapq.heappush(waiting, (timing.finished, number, one))
        held += _size(one)
        while len(waiting) > _WINDOW or held > _WINDOW_BYTES:
            yield out()
    while waiting:
        yield out()


def _path(one: RecordedExchange) -> str:
    return one.url.partition("?")[0]


def _size(one: RecordedExchange) -> int:
    return (len(one.response.body) if one.response else 0) + len(one.request_body or b"") + 2000
