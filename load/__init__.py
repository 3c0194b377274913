"""Load: send-and-poll users on Locust, their metrics and gates, and the capacity planner.

What is public is named here and imported when it is used: `SendpollUser` brings Locust with it, which patches the whole
process for gevent, and nobody who only reads a scenario wants that.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sendpoll.load.engine import Cohort, Controller, Fleet, Order, RunResult, View, Workload
    from sendpoll.load.locust_plugin import SendpollUser
    from sendpoll.load.measure.metrics import Metrics
    from sendpoll.load.measure.records import Ledger, Outcome, TaskRecord
    from sendpoll.load.measure.slo import ServiceLevel
    from sendpoll.load.on_locust.load_run import run
    from sendpoll.load.scenario.scenario import Scenario
    from sendpoll.load.scenario.scenario_file import load_scenario
    from sendpoll.load.shapes import ShapeController

__all__ = [
    "Cohort",
    "Controller",
    "Fleet",
    "Ledger",
    "Metrics",
    "Order",
    "Outcome",
    "RunResult",
    "Scenario",
    "SendpollUser",
    "ServiceLevel",
    "ShapeController",
    "TaskRecord",
    "View",
    "Workload",
    "load_scenario",
    "run",
]

_MODULES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("Cohort", "Controller", "Fleet", "Order", "RunResult", "View", "Workload"), "engine"),
        **dict.fromkeys(("Ledger", "Outcome", "TaskRecord"), "measure.records"),
        "Metrics": "measure.metrics",
        "Scenario": "scenario.scenario",
        "SendpollUser": "locust_plugin",
        "ServiceLevel": "measure.slo",
        "ShapeController": "shapes",
        "load_scenario": "scenario.scenario_file",
        "run": "on_locust.load_run",
    }
)


def __getattr__(name: str) -> Any:
    """Import what is asked for."""
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return [*globals(), *__all__]
