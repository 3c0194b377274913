"""The page that Prometheus scrapes while a run lasts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import gevent
from gevent.pywsgi import WSGIServer
from prometheus_client import CollectorRegistry, make_wsgi_app
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from sendpoll.load.engine import EngineError
from sendpoll.load.export.live_numbers import BOUNDS_S, LiveFamily, LiveNumber

_BOUNDS: Final = (*(f"{bound:g}" for bound in BOUNDS_S), "+Inf")
_USUAL_GAP_S: Final = 15.0
_LONGEST_WAIT_S: Final = 65.0
"""Prometheus' own interval is a minute where nobody sets one."""


class PrometheusPage(Collector):
    """Serves what it was shown last."""

    def __init__(self, host: str, port: int, labels: Mapping[str, str]) -> None:
        """Raises EngineError where the port cannot be opened. `labels` are those of every series."""
        self._labels = dict(labels)
        self._families: tuple[LiveFamily, ...] = ()
        self._read_at: list[float] = []
        registry = CollectorRegistry()
        registry.register(self)
        self._answer = make_wsgi_app(registry)
        self._server = WSGIServer((host, port), self._serve, log=None, error_log=None)
        try:
            self._server.start()
        except OSError as error:
            raise EngineError(
                f"the metrics cannot be served on {host}, port {port}: {error.strerror}; give another --metrics-port"
            ) from error

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self._server.server_host}:{self._server.server_port}/metrics"

    def _serve(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            self._read_at = [*self._read_at[-1:], time.monotonic()]
        answer: Iterable[bytes] = self._answer(environ, start)
        return answer

    def show(self, families: tuple[LiveFamily, ...]) -> None:
        """Serve these from now on."""
        self._families = families

    def wait_for_reader(self) -> None:
        """Stay until the last numbers have been read, if somebody reads them: who does comes at intervals."""
        if not self._read_at:
            return
        shown, reads = time.monotonic(), self._read_at
        gap = reads[-1] - reads[0] if len(reads) > 1 else _USUAL_GAP_S
        until = shown + min(_LONGEST_WAIT_S, 1.5 * gap + 1)
        while self._read_at[-1] < shown and time.monotonic() < until:
            gevent.sleep(0.05)

    def close(self) -> None:
        """Serve no more."""
        self._server.stop(timeout=1)

    def collect(self) -> Iterator[Metric]:
        """The families as the library writes them."""
        names, values = [*self._labels], [*self._labels.values()]
        for family in self._families:
            if not isinstance(family, LiveNumber):
                pairs = list(zip(_BOUNDS, family.cumulated, strict=True))
                histogram = HistogramMetricFamily(family.name, family.told, labels=names)
                histogram.add_metric(values, pairs, family.total)
                yield histogram
                continue
            kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
            found = kind(family.name, family.told, labels=[*names, family.label] if family.label else names)
            for value, number in family.values.items():
                found.add_metric([*values, value] if family.label else values, number)
            yield found
