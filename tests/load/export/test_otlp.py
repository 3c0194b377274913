"""A collector gets the numbers by OTLP, the last ones at the end, as the standard variables say."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from tests.load.observe.runs import limited


class Collector(BaseHTTPRequestHandler):
    """Keeps what it is sent."""

    requests: list[ExportMetricsServiceRequest]
    headers_seen: list[str]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        self.requests.append(ExportMetricsServiceRequest.FromString(body))
        self.headers_seen.append(f"{self.path} {self.headers.get('x-tenant')}")
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def run_load(url: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sendpoll.cli.main", "load", url, "--token", "x", "--otlp", "--processes", "2"]
    command += ["--users", "6", "--duration", "6s", "--think", "200ms", "--report-dir", str(folder)]
    return subprocess.run(
        command, check=False, timeout=120, capture_output=True, text=True, env={**os.environ, **variables}
    )


def test_a_collector_gets_what_the_ledger_says(tmp_path: Path) -> None:
    Collector.requests, Collector.headers_seen = [], []
    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with limited("sound") as served:
            done = run_load(
                served.url,
                tmp_path,
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}",
                OTEL_EXPORTER_OTLP_HEADERS="x-tenant=us",
                OTEL_METRIC_EXPORT_INTERVAL="1000",
                OTEL_RESOURCE_ATTRIBUTES="deployment.environment=test",
            )
    finally:
        server.shutdown()
        server.server_close()
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "result.json").read_text())
    assert len(Collector.requests) > 3
    assert set(Collector.headers_seen) == {"/v1/metrics us"}
    (told,) = Collector.requests[-1].resource_metrics
    resource = {pair.key: pair.value.string_value for pair in told.resource.attributes}
    assert resource["service.name"] == "sendpoll"
    assert resource["deployment.environment"] == "test"
    metrics = {metric.name: metric for metric in told.scope_metrics[0].metrics}
    ended = {attribute(point, "as"): point.as_double for point in metrics["sendpoll.load.tasks"].sum.data_points}
    assert ended["good"] == result["ledger"]["good"] > 0
    assert sum(ended.values()) == result["ledger"]["started"]
    (point,) = metrics["sendpoll.load.ttfe"].histogram.data_points
    assert point.count == sum(point.bucket_counts) == result["metrics"]["ttfe"]["count"]
    assert attribute(point, "target") == result["target"]["base_url"]


def attribute(point: Metric, name: str) -> str:
    found: str = next(pair.value.string_value for pair in point.attributes if pair.key == name)
    return found


@pytest.mark.parametrize(
    ("variable", "value", "mend"),
    [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "--otlp speaks http/protobuf"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "5s", "write milliseconds"),
    ],
)
def test_what_cannot_be_done_is_refused(variable: str, value: str, mend: str, tmp_path: Path) -> None:
    done = run_load("http://127.0.0.1:9", tmp_path, **{variable: value})
    assert done.returncode == 2
    assert variable in done.stderr
    assert mend in " ".join(done.stderr.split())


def test_a_collector_that_is_away_ends_no_run(tmp_path: Path) -> None:
    with limited("sound") as served:
        done = run_load(
            served.url,
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
            OTEL_EXPORTER_OTLP_TIMEOUT="1",
            OTEL_METRIC_EXPORT_INTERVAL="1000",
        )
    assert done.returncode == 0, done.stderr
    assert "the collector took nothing" in done.stderr
