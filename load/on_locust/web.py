"""Locust's web page with a Sendpoll tab: what a poll protocol has beyond requests, live."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import gevent
from flask import Response, request
from locust.env import Environment
from locust.stats import stats_history

from sendpoll.load.engine import EngineError
from sendpoll.load.measure.histogram import Histogram
from sendpoll.load.measure.metrics import Metrics

_TAB: Final = "sendpoll"
_COLUMNS: Final = {"measure": "Measure", "count": "Count", "p50": "p50 [ms]", "p95": "p95 [ms]", "p99": "p99 [ms]"}
_LATENCIES: Final = {
    "submit": "Submit",
    "ttfe": "First event",
    "ttfe_lower": "First event, lower bound",
    "stall": "Longest stall",
    "task": "Task",
    "poll": "Poll, from the scheduled time",
    "server_slip": "Poll slip through late answers",
    "slip": "Poll slip through the generator",
    "lag": "Lag of the generator's event loop",
}


def open_page(environment: Environment, metrics: Callable[[], Metrics | None], port: int) -> str:
    """Serve the page on the loopback interface and return its URL. Raises EngineError."""
    sys.argv = sys.argv[:1]  # Locust parses it anew for each page, and its parser would exit on our own options
    try:
        with gevent.socket.create_server(("127.0.0.1", port)):
            pass
    except OSError as error:
        raise EngineError(
            f"the web page cannot be served on port {port}: {error.strerror}; give another --web-port"
        ) from error
    environment.create_web_ui("127.0.0.1", port, delayed_start=True)
    add_tab(environment, metrics)
    assert environment.web_ui is not None  # noqa: S101 - it has just been made
    assert environment.runner is not None  # noqa: S101 - the page shows it
    environment.web_ui.start()
    gevent.spawn(stats_history, environment.runner)
    return f"http://127.0.0.1:{port}"


def add_tab(environment: Environment, metrics: Callable[[], Metrics | None]) -> None:
    """Add the tab to an environment's web page, if it has one."""
    page = environment.web_ui
    if page is None or page.app is None:
        return
    structure = [{"key": key, "title": title} for key, title in _COLUMNS.items()]
    page.template_args.update(
        extended_tabs=[{"title": "Sendpoll", "key": _TAB}], extended_tables=[{"key": _TAB, "structure": structure}]
    )

    def add_rows(response: Response) -> Response:
        if request.path.endswith("/stats/requests"):
            now = metrics()
            with contextlib.suppress(ValueError):
                answer = json.loads(response.get_data())
                answer["extended_stats"] = [{"key": _TAB, "data": list(rows(now)) if now else []}]
                response.set_data(json.dumps(answer))
        return response

    page.app.after_request(add_rows)


def rows(metrics: Metrics) -> Iterator[dict[str, Any]]:
    """The rows of the tab: durations in milliseconds, then counts."""
    total = metrics.total
    for name, title in _LATENCIES.items():
        yield {"measure": title, **_quantiles(total.histograms[name])}
    yield {"measure": "Poll, from the send", **_quantiles(total.poll_from_send)}
    for name, count in metrics.ledger.as_json().items():
        if name != "balances":
            yield {"measure": f"Tasks: {name.replace('_', ' ')}", "count": count}
    yield {"measure": "Empty polls", "count": total.counts["empty_polls"]}
    yield {"measure": "Events", "count": total.counts["events"]}
    for requirement, count in sorted(total.violations.items()):
        yield {"measure": f"Broken: {requirement}", "count": count}


def _quantiles(histogram: Histogram) -> dict[str, float]:
    if not histogram:
        return {"count": 0}
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {
        "count": histogram.count,
        **{name: round(histogram.quantile(share) / 1e3, 2) for name, share in shares.items()},
    }
