"""Where the numbers of a run go while it lasts."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from sendpoll.core.reports.console import SafeConsole
from sendpoll.load.engine import RunResult, View, Workload
from sendpoll.load.export.live_numbers import numbers_of, numbers_of_view


@dataclass(frozen=True, slots=True)
class OutletSettings:
    """What was asked for."""

    port: int | None = None
    """Of the page for Prometheus; None: there is none. 0 is a free one."""
    host: str = "127.0.0.1"
    otlp: bool = False

    def __bool__(self) -> bool:
        """Whether anything goes out."""
        return self.port is not None or self.otlp


@dataclass(slots=True)
class Outlets:
    """A context manager around a run. Where nothing was asked for it does nothing."""

    settings: OutletSettings
    workload: Workload
    err: SafeConsole
    _page: Any = None
    _sender: Any = None
    _labels: dict[str, str] = field(default_factory=dict)

    def __enter__(self) -> Outlets:
        """Open them. Raises EngineError where one cannot be."""
        if not self.settings:
            return self
        self._labels = {
            "target": self.workload.target.base_url,
            "scenario": self.workload.scenario.name,
            "run": secrets.token_hex(4),
        }
        if self.settings.port is not None:
            from sendpoll.load.export.prometheus_page import PrometheusPage  # noqa: PLC0415 - it imports gevent

            self._page = PrometheusPage(self.settings.host, self.settings.port, self._labels)
            self.err.print(f"Metrics: {self._page.url}, run={self._labels['run']}")
        if self.settings.otlp:
            from sendpoll.load.export.otlp import OtlpSender  # noqa: PLC0415 - it imports gevent

            self._sender = OtlpSender(self._labels)
            self.err.print(f"Metrics: by OTLP, run={self._labels['run']}")
        return self

    def __call__(self, view: View) -> None:
        """The run stands so."""
        if self._page is not None or self._sender is not None:
            self._show(numbers_of_view(view))

    def finish(self, held: RunResult) -> None:
        """The run is over: let its last numbers be read, unless it was cut short."""
        if self._page is None and self._sender is None:
            return
        self._show(numbers_of(held.metrics, held.health, 0, len(held.problems)))
        if self._page is not None and held.cut_by is None:
            self._page.wait_for_reader()

    def _show(self, families: Any) -> None:
        for outlet in (self._page, self._sender):
            if outlet is not None:
                outlet.show(families)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Close them."""
        if self._sender is not None:
            self._sender.close()
            if self._sender.failures:
                self.err.print(f"OTLP: the collector took nothing {self._sender.failures:,} times.", style="yellow")
        if self._page is not None:
            with contextlib.suppress(OSError):
                self._page.close()
