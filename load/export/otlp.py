"""Sends the numbers of a run to a collector by OTLP, as the standard OTEL_ variables say where, how often and as what.

The SDK's own instruments cannot take histograms that were counted elsewhere, so its exporter is handed what an
instrument would have handed it.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import gevent

from sendpoll.load.engine import EngineError
from sendpoll.load.export.live_numbers import BOUNDS_S, LiveFamily, LiveNumber

if TYPE_CHECKING:
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.sdk.metrics.export import Metric, MetricsData

_INTERVAL: Final = "OTEL_METRIC_EXPORT_INTERVAL"
_USUAL_INTERVAL_MS: Final = "60000"
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_SPOKEN: Final = "http/protobuf"


class OtlpSender:
    """Sends what it was shown last, at the interval that OTEL_METRIC_EXPORT_INTERVAL asks for, and at the end."""

    def __init__(self, labels: Mapping[str, str]) -> None:
        """Raises EngineError where the library is missing, or a variable asks for what is not there."""
        for name in _PROTOCOLS:
            if os.environ.get(name, _SPOKEN) != _SPOKEN:
                raise EngineError(f"{name} asks for {os.environ[name]!r}; --otlp speaks {_SPOKEN}: set it to that")
        self._interval_s = _interval_s()
        if importlib.util.find_spec("opentelemetry") is None:
            raise EngineError("--otlp needs OpenTelemetry: pip install 'sendpoll[otel]'")
        self._labels = dict(labels)
        self._exporter: OTLPMetricExporter | None = None
        self._families: tuple[LiveFamily, ...] = ()
        self._began_ns = time.time_ns()
        self.failures = 0
        """How often the collector took nothing."""
        self._sender = gevent.spawn(self._send_at_intervals)

    def show(self, families: tuple[LiveFamily, ...]) -> None:
        """Send these from now on."""
        self._families = families

    def close(self) -> None:
        """Send the last numbers, and no more."""
        self._sender.kill()
        self._send()
        if self._exporter is not None:
            self._exporter.shutdown()

    def _send_at_intervals(self) -> None:
        while True:
            gevent.sleep(self._interval_s)
            self._send()

    def _send(self) -> None:
        if not self._families:
            return
        # Not before the first numbers: the run has patched the process for gevent by then, and this opens connections.
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415 - an extra
        from opentelemetry.sdk.metrics.export import MetricExportResult  # noqa: PLC0415 - an extra

        try:
            self._exporter = self._exporter or OTLPMetricExporter()
            taken = self._exporter.export(metrics_data(self._families, self._labels, self._began_ns))
        except Exception:  # noqa: BLE001 - whatever a collector, or a library on the way to it, does ends no run
            taken = MetricExportResult.FAILURE
        self.failures += taken is not MetricExportResult.SUCCESS


def metrics_data(families: Sequence[LiveFamily], labels: Mapping[str, str], began_ns: int) -> MetricsData:
    """The numbers as the SDK hands them to its exporters."""
    from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics, ScopeMetrics  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - the same extra
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415 - the same extra

    ours = {} if "OTEL_SERVICE_NAME" in os.environ else {"service.name": "sendpoll"}
    metrics = [_metric(family, labels, began_ns) for family in families]
    scope = ScopeMetrics(InstrumentationScope("sendpoll.load"), metrics, "")
    return MetricsData([ResourceMetrics(Resource.create(ours), [scope], "")])


def _metric(family: LiveFamily, labels: Mapping[str, str], began_ns: int) -> Metric:
    from opentelemetry.sdk.metrics import export  # noqa: PLC0415 - an extra

    now = time.time_ns()
    whole: Any = export.AggregationTemporality.CUMULATIVE
    if not isinstance(family, LiveNumber):
        count = sum(family.counts)
        ends = (0.0, 0.0)  # the extremes are not kept
        point = export.HistogramDataPoint(labels, began_ns, now, count, family.total, family.counts, BOUNDS_S, *ends)
        return export.Metric(_dotted(family.name), family.told, "s", export.Histogram([point], whole))
    points = [
        export.NumberDataPoint({**labels, family.label: value} if family.label else labels, began_ns, now, number)
        for value, number in family.values.items()
    ]
    data = export.Sum(points, whole, True) if family.kind == "counter" else export.Gauge(points)
    return export.Metric(_dotted(family.name), family.told, "1", data)


def _dotted(name: str) -> str:
    """A name as OpenTelemetry writes them: the unit stands apart."""
    return name.removesuffix("_seconds").replace("sendpoll_load_", "sendpoll.load.", 1)


def _interval_s() -> float:
    told = os.environ.get(_INTERVAL, _USUAL_INTERVAL_MS)
    if not told.isdigit() or not int(told):
        raise EngineError(f"{_INTERVAL} is {told!r}; write milliseconds, such as 5000")
    return int(told) / 1000
