"""Writes into Locust's own statistics, so that its console, CSV, HTML and web page show what our users do."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from typing import Final

import locust.stats
from locust.env import Environment
from locust.stats import StatsEntry

from sendpoll.load.measure.records import TaskRecord
from sendpoll.load.users.caller import Call, CallFailed

TASK_ROWS: Final = "TASK"
"""The method column of the rows that are derived from whole tasks. They are no requests: the total leaves them out."""


_FLUSH_S: Final = 1.0


class _Batch:
    """Requests of one kind that were answered since the last flush."""

    __slots__ = ("milliseconds", "size")

    def __init__(self) -> None:
        self.milliseconds: list[float] = []
        self.size = 0


class LocustStatistics:
    """Counts for one environment.

    To tell Locust of each request costs as much as to judge it. Where nobody but Locust listens, requests are collected
    and written into its entries once a second: many at once cost a fraction of as many one by one, since what the work
    needs is then in the processor's cache.
    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._is_alone = len(environment.events.request._handlers) <= 1  # noqa: SLF001 - there is no other way to ask
        self._batches: defaultdict[Call, _Batch] = defaultdict(_Batch)
        self._flush_at = 0.0

    def log(self, call: Call, milliseconds: float, size: int, error: str | None) -> None:
        """Count a request: how long it took, the bytes of its body, and why it failed."""
        if error is not None or not self._is_alone:
            self._tell_all(call, milliseconds, size, error)
            return
        batch = self._batches[call]
        batch.milliseconds.append(milliseconds)
        batch.size += size
        if time.perf_counter() > self._flush_at:
            self.flush()

    def _tell_all(self, call: Call, milliseconds: float, size: int, error: str | None) -> None:
        self._environment.events.request.fire(
            request_type=call.method,
            name=call.path,
            response_time=milliseconds,
            response_length=size,
            exception=None if error is None else CallFailed(error),
            context={},
        )

    def flush(self) -> None:
        """Write what was collected."""
        batches, self._batches = self._batches, defaultdict(_Batch)
        self._flush_at = time.perf_counter() + _FLUSH_S
        stats = self._environment.stats
        for call, batch in batches.items():
            buckets = Counter(map(locust.stats.bucket_response_time, batch.milliseconds))
            for entry in (stats.total, stats.entries[(call.path, call.method)]):
                _add(entry, batch, buckets)

    def log_task(self, record: TaskRecord) -> None:
        """Count a whole task, in rows of its own, if it tells how long a user waits for an answer."""
        if not record.is_sample:
            return
        for name, seconds in (("first event", record.ttfe_s), ("task", record.task_s)):
            if seconds is not None:
                row = self._environment.stats.entries[(name, TASK_ROWS)]
                row.log(seconds * 1e3, record.bytes if name == "task" else 0)  # type: ignore[arg-type]  # it logs floats


def _add(entry: StatsEntry, batch: _Batch, buckets: Counter[int]) -> None:
    """What `StatsEntry.log` does, for many requests at once.

    One of them is logged by Locust itself, which keeps its clocks and its cache of the last seconds; the others follow.
    """
    greatest, count = max(batch.milliseconds), len(batch.milliseconds)
    entry.log(greatest, batch.size)  # type: ignore[arg-type]  # Locust's annotations say int, its users log floats
    entry.response_times[locust.stats.bucket_response_time(greatest)] -= 1
    for bucket, times in buckets.items():
        entry.response_times[bucket] += times
    entry.num_requests += count - 1
    entry.num_reqs_per_sec[int(time.time())] += count - 1
    entry.total_response_time += sum(batch.milliseconds) - greatest  # type: ignore[assignment]  # as above
    least, known = min(batch.milliseconds), entry.min_response_time
    entry.min_response_time = least if known is None else min(least, known)  # type: ignore[assignment]  # as above
