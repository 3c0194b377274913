"""What the readings mean: which series is a resource, in which unit, and what its limit is.

A resource is known by what its series is called all over: by the names of Prometheus' own process and node exporters,
and by the words that exporters use for a queue, a share and a pool.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

from sendpoll.core.target.url import is_loopback
from sendpoll.load.observe.observer import Reading
from sendpoll.load.observe.process_tree import CORES, CPU, CPU_WAIT, THREAD
from sendpoll.load.observe.timeline import Column, Grid, greatest, mean, total

Resource = Literal["files", "memory", "cpu", "thread", "share", "pool", "queue", "other"]
MAX_OTHERS: Final = 24
"""Figures that are no known resource: those that moved most are kept."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One number over time."""

    source: str
    name: str
    """Of the metric."""
    resource: Resource
    unit: str
    """`cores`, `bytes`, `share`, `a second`, `s`, or nothing where it counts things."""
    values: Column
    limit: float | None = None
    beside: str = ""
    """Of a queue: the figure that says how many were served meanwhile."""

    @property
    def known(self) -> list[float]:
        """The values that there are."""
        return [value for value in self.values if value is not None]


_PAIRS: Final = (
    ("process_resident_memory_bytes", "process_memory_limit_bytes", "memory", "bytes"),
    ("container_memory_working_set_bytes", "container_spec_memory_limit_bytes", "memory", "bytes"),
    ("process_open_fds", "process_max_fds", "files", ""),
    ("node_filefd_allocated", "node_filefd_maximum", "files", ""),
)
"""Series that are a resource by their very name, and the one that tells its limit."""
_QUEUE: Final = re.compile(r"(?:^|[_:])(waiting|queued|pending|backlog|queue_(?:size|depth|length))(?:$|_)")
_NO_QUEUE: Final = re.compile(r"seconds|bytes|max|limit|capacity|_age|time|ratio|nginx_connections_waiting")
"""nginx calls a kept connection that waits for a next request waiting: nobody is kept waiting by it."""
_SERVED: Final = ("running", "active", "in_progress", "in_use")
_SHARE: Final = re.compile(r"(?:^|[_:])(perc|percent|pct|util|utilization|utilisation|gpu_util)(?:$|_)", re.IGNORECASE)
_NO_SHARE: Final = re.compile(r"hit|free|idle|avail|success|frag", re.IGNORECASE)
_POOLS: Final = (
    ("active", "max"),
    ("in_use", "max"),
    ("used", "max"),
    ("used", "limit"),
    ("used", "size"),
    ("busy", "max"),
    ("busy", "total"),
    ("current", "max"),
    ("open", "max"),
)
"""By what words exporters tell how much of a pool is taken, and how large it is."""
_NO_POOL: Final = re.compile(r"bytes|seconds")
_DULL: Final = re.compile(r"^(process_(start_time|virtual_memory|cores|cpu_wait|memory_limit|max_fds)|scrape_)")


class _Page:
    """One reading, its series by the name of their metric."""

    def __init__(self, reading: Reading, grid: Grid) -> None:
        self.source = reading.source
        self._grid = grid
        self._times = reading.times
        self._by_metric: dict[str, list[tuple[Mapping[str, str], str, Sequence[float]]]] = {}
        for series, values in reading.columns.items():
            self._by_metric.setdefault(series.metric, []).append((dict(series.labels), series.kind, values))
        self.gauges = [name for name, held in self._by_metric.items() if held[0][1] == "gauge"]
        self.counters = [name for name, held in self._by_metric.items() if held[0][1] == "counter"]

    def has(self, metric: str) -> bool:
        return metric in self._by_metric

    def columns(self, metric: str, **labels: str) -> list[Column]:
        """Each series of a metric on the grid; counters as their rate."""
        return [
            self._grid.rate(self._times, values) if kind == "counter" else self._grid.gauge(self._times, values, mean)
            for own, kind, values in self._by_metric.get(metric, ())
            if all(own.get(name) == value for name, value in labels.items())
        ]

    def all_in_all(self, metric: str, **labels: str) -> Column:
        """The sum of a metric's series."""
        found = self.columns(metric, **labels)
        return total(found) if found else [None] * self._grid.points

    def constant(self, metric: str) -> float | None:
        """The one value above 0 that a metric had all the time; None where it has none."""
        values = {one for _, _, held in self._by_metric.get(metric, ()) for one in held if not math.isnan(one)}
        found = values.pop() if len(values) == 1 else None
        return found if found is not None and 0 < found < math.inf else None

    def figure(self, metric: str, resource: Resource, unit: str, values: Column, limit: float | None = None) -> Figure:
        return Figure(self.source, metric, resource, unit, values, limit)


def figures_of(reading: Reading, grid: Grid) -> list[Figure]:
    """The figures of a source: its resources first, then what else moved."""
    page = _Page(reading, grid)
    found = [*_processors(page), *_memory_and_files(page), *_shares(page), *_pools(page), *_queues(page)]
    named = {figure.name for figure in found}
    others = sorted((one for one in _others(page, named) if _movement(one)), key=_movement, reverse=True)
    return [figure for figure in (*found, *others[:MAX_OTHERS]) if figure.known]


def _processors(page: _Page) -> Iterator[Figure]:
    for metric in (CPU.metric, "container_cpu_usage_seconds_total"):
        if page.has(metric):
            used = page.all_in_all(metric)
            yield page.figure(metric, "cpu", "cores", used, _cores(page, used))
    if page.has(THREAD.metric):
        yield page.figure(THREAD.metric, "thread", "share", page.all_in_all(THREAD.metric), 1.0)
    if page.has(CPU_WAIT.metric):
        yield page.figure(CPU_WAIT.metric, "other", "cores", page.all_in_all(CPU_WAIT.metric))
    if page.has("node_cpu_seconds_total"):
        yield page.figure("node_cpu_seconds_total", "share", "share", _busy(page), 1.0)
    if page.has("node_disk_io_time_seconds_total"):
        busiest = greatest(page.columns("node_disk_io_time_seconds_total"))
        yield page.figure("node_disk_io_time_seconds_total", "share", "share", busiest, 1.0)


def _busy(page: _Page) -> Column:
    """The share of its CPU that a machine used."""
    every, idle = page.all_in_all("node_cpu_seconds_total"), page.all_in_all("node_cpu_seconds_total", mode="idle")
    pairs = zip(every, idle, strict=True)
    return [1 - rest / whole if whole and rest is not None else None for whole, rest in pairs]


def _cores(page: _Page, used: Column) -> float | None:
    """How many cores a process may use; None where nobody says.

    One that never uses more than one has one thread at work, as Python's and Node's have: one core is all it can use.
    """
    told = page.constant(CORES.metric) or page.constant("go_sched_gomaxprocs_threads")
    if told is not None:
        return told
    if max((one for one in used if one is not None), default=0.0) <= 1.1:
        return 1.0
    return float(os.cpu_count() or 1) if is_loopback(urlsplit(page.source).hostname or "") else None


def _memory_and_files(page: _Page) -> Iterator[Figure]:
    for metric, limit, resource, unit in _PAIRS:
        if page.has(metric):
            yield page.figure(metric, resource, unit, page.all_in_all(metric), page.constant(limit))  # type: ignore[arg-type]  # the table's words are resources
    if page.has("node_memory_MemAvailable_bytes"):
        all_of_it = page.constant("node_memory_MemTotal_bytes")
        left = page.all_in_all("node_memory_MemAvailable_bytes")
        used = [None if one is None or all_of_it is None else all_of_it - one for one in left]
        yield page.figure("node_memory_MemAvailable_bytes", "memory", "bytes", used, all_of_it)


def _shares(page: _Page) -> Iterator[Figure]:
    for metric in page.gauges:
        if _SHARE.search(metric) and not _NO_SHARE.search(metric):
            values = greatest(page.columns(metric))
            scale = 100 if max((one for one in values if one is not None), default=0) > 1.5 else 1
            yield page.figure(metric, "share", "share", [None if one is None else one / scale for one in values], 1.0)


def _pools(page: _Page) -> Iterator[Figure]:
    paired = {metric for metric, *_ in _PAIRS}
    for metric in page.gauges:
        if metric in paired or _NO_POOL.search(metric):
            continue
        for taken, size in _POOLS:
            limit = page.constant(re.sub(rf"(?<![a-z]){taken}(?![a-z])", size, metric))
            if limit is not None and re.search(rf"(?<![a-z]){taken}(?![a-z])", metric):
                yield page.figure(metric, "pool", "", page.all_in_all(metric), limit)
                break


def _queues(page: _Page) -> Iterator[Figure]:
    for metric in page.gauges:
        word = _QUEUE.search(metric)
        if word is None or _NO_QUEUE.search(metric):
            continue
        names = (metric[: word.start(1)] + served + metric[word.end(1) :] for served in _SERVED)
        served = next((name for name in names if page.has(name)), "")
        yield Figure(page.source, metric, "queue", "", page.all_in_all(metric), beside=served)


def _others(page: _Page, named: set[str]) -> Iterator[Figure]:
    for metric in page.gauges:
        if metric not in named and not _DULL.search(metric):
            unit = "bytes" if metric.endswith("bytes") else "s" if metric.endswith("seconds") else ""
            yield page.figure(metric, "other", unit, page.all_in_all(metric))
    for metric in page.counters:
        if metric.endswith("_sum") and page.has(metric.removesuffix("_sum") + "_count"):
            yield _mean_of(page, metric.removesuffix("_sum"))
        elif metric not in named and not _DULL.search(metric):
            yield page.figure(metric, "other", "a second", page.all_in_all(metric))


def _mean_of(page: _Page, name: str) -> Figure:
    """What a distribution came to on average while it was counted."""
    sums, counts = page.all_in_all(f"{name}_sum"), page.all_in_all(f"{name}_count")
    values = [whole / count if count and whole is not None else None for whole, count in zip(sums, counts, strict=True)]
    return page.figure(f"{name} (mean)", "other", "s" if name.endswith("seconds") else "", values)


def _movement(figure: Figure) -> float:
    known = figure.known
    top = max(map(abs, known), default=0.0)
    return (max(known) - min(known)) / top if top else 0.0
