"""What the server tells of itself at `/metrics`, in the text format of Prometheus.

Numbers alone, under names and labels that are fixed: no id, no name, no text of anybody, so it asks for no token. What
happens with every poll is counted in plain numbers, and put into the library's form only when it is asked for.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sendpoll.reference_server.histogram import BOUNDS, Histogram
from sendpoll.reference_server.service import Service


def metrics_route(service: Service, polls: Histogram, refusals: Counter[str]) -> Route:
    """The route of the page: of the service, how long polls took, and what was refused, by the error's code."""
    registry = CollectorRegistry()
    registry.register(_Metrics(service, polls, refusals))
    # CPU, memory and open files of the process, by the names that every exporter gives them.
    ProcessCollector(registry=registry)

    async def serve(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type, "cache-control": "no-store"})

    return Route("/metrics", serve, methods=["GET"])


class _Metrics(Collector):
    def __init__(self, service: Service, polls: Histogram, refusals: Counter[str]) -> None:
        self._service = service
        self._polls = polls
        self._refusals = refusals

    def collect(self) -> Iterator[Metric]:
        load = self._service.load()
        yield GaugeMetricFamily("sendpoll_slots", "Tasks that may run at once.", load.slots)
        yield GaugeMetricFamily("sendpoll_tasks_running", "Tasks that an agent works on.", load.running)
        yield GaugeMetricFamily("sendpoll_tasks_waiting", "Tasks that wait for a slot or for their turn.", load.waiting)
        yield _counted("sendpoll_tasks_finished", "Tasks that have ended, by their status.", "status", load.finished)
        yield CounterMetricFamily("sendpoll_events", "Events that became durable.", load.events)
        yield _timed("sendpoll_poll_seconds", "From the head of a poll to the end of its answer.", self._polls)
        yield _timed("sendpoll_commit_seconds", "How long writes take to become durable.", self._service.commits)
        yield GaugeMetricFamily("sendpoll_writes_waiting", "Writes that wait for a commit.", load.writes_waiting)
        yield GaugeMetricFamily("sendpoll_database_bytes", "Size of the database.", load.database_bytes)
        yield _counted("sendpoll_refusals", "Requests that were refused, by the code.", "code", self._refusals)


def _counted(name: str, told: str, label: str, counts: Counter[str]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, told, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _timed(name: str, told: str, times: Histogram) -> HistogramMetricFamily:
    cumulated = list(itertools.accumulate(times.counts))
    bounds = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
    return HistogramMetricFamily(name, told, list(zip(bounds, cumulated, strict=True)), times.total)
