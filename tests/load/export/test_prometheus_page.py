"""A real Prometheus scrapes a run of two processes: what it holds in the end is what the ledger says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.load.export.prometheus import PROGRAM, Prometheus, free_port, scraping, wait_for
from tests.load.observe.runs import limited

DASHBOARD = Path(__file__).parents[3] / "load" / "dashboards" / "grafana.json"
needs_prometheus = pytest.mark.skipif(
    PROGRAM is None and os.environ.get("SENDPOLL_REQUIRE_CLIENTS") != "1", reason="there is no prometheus here"
)


def load(url: str, *more: str) -> list[str]:
    command = [sys.executable, "-m", "sendpoll.cli.main", "load", url, "--token", "x", "--think", "200ms"]
    return [*command, *more]


@needs_prometheus
def test_what_prometheus_holds_is_what_the_ledger_says(tmp_path: Path) -> None:
    port = free_port()
    with limited("sound") as server, scraping(port, tmp_path) as prometheus:
        shape = ["--users", "12", "--duration", "12s", "--processes", "2"]
        command = load(server.url, *shape, "--metrics-port", str(port), "--report-dir", str(tmp_path))
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as child:
            wait_for(lambda: prometheus.query("sum(rate(sendpoll_load_tasks_total[10s])) > 0"))
            drawn = {expression: prometheus.query(expression) for expression in expressions(DASHBOARD)}
            assert child.wait(90) == 0
        result = json.loads((tmp_path / "result.json").read_text())
        agree(prometheus, result)
    for expression, rows in drawn.items():
        lacks = any(name in expression for name in ("refusals", "errors_total", "violations"))
        assert rows or lacks, expression
    labels = wait_for(lambda: result["target"]["base_url"]), result["scenario"]["name"]
    assert labels == (server.url, "smoke")


def expressions(dashboard: Path) -> list[str]:
    """The queries of a dashboard as Grafana would ask them, with nothing chosen."""
    panels: list[Any] = json.loads(dashboard.read_text())["panels"]
    found = [target["expr"] for panel in panels for target in panel["targets"]]
    for name, value in (("$__rate_interval", "10s"), ("$target", ".*"), ("$scenario", ".*"), ("$run", ".*")):
        found = [expression.replace(name, value) for expression in found]
    return found


def agree(prometheus: Prometheus, result: Any) -> None:
    """The last value of each counter, though the page is gone by now."""
    held = f'target="{result["target"]["base_url"]}",scenario="smoke"'

    def last(name: str, more: str = "") -> float:
        return prometheus.number(f"sum(last_over_time(sendpoll_load_{name}{{{held}{more}}}[5m]))")

    ledger = result["ledger"]
    for column in ("good", "slow", "failed", "refused", "timed_out", "abandoned", "dropped"):
        assert last("tasks_total", f',as="{column}"') == ledger[column]
    assert last("tasks_started_total") == ledger["started"] > 0
    assert last("polls_total") == result["polls"]["count"]
    assert last("events_total") == result["polls"]["events"]
    for name in ("ttfe", "task", "stall", "submit", "poll"):
        metric = result["metrics"][name]
        assert last(f"{name}_seconds_count") == metric["count"]
        assert last(f"{name}_seconds_sum") == pytest.approx(metric["mean"] * metric["count"])


def test_a_port_that_is_taken_is_named() -> None:
    with limited("sound") as server:
        port = server.url.rpartition(":")[2]
        done = subprocess.run(
            load(server.url, "--metrics-port", port), check=False, timeout=60, capture_output=True, text=True
        )
    assert done.returncode == 2
    assert "give another --metrics-port" in " ".join(done.stderr.split())
