"""What the options of the command line change in a scenario."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from sendpoll.core.text.units import exact_seconds, parse_seconds
from sendpoll.load.scenario.scenario import Scenario, ScenarioError
from sendpoll.load.scenario.scenario_file import load_scenario
from sendpoll.load.scenario.scenario_json import ScenarioChanges, ShapeKind

_RATE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(?:/\s*(s|min|h))?")
_PER: Final[Mapping[str, float]] = {"s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrides:
    """Options as they were typed; None where one was not given."""

    users: int | None = None
    duration: str | None = None
    shape: ShapeKind | None = None
    arrivals: str | None = None
    pacing: str | None = None
    poll_interval: str | None = None
    think: str | None = None
    on_refusal: str | None = None
    on_outage: str | None = None
    slos: tuple[str, ...] = ()


def scenario_with(source: str, overrides: Overrides) -> Scenario:
    """The scenario of that name or file, as the options change it. Raises ScenarioError."""
    base = load_scenario(source)
    try:
        changes = _changes(base, overrides)
    except ValueError as error:
        raise ScenarioError(str(error)) from None
    return load_scenario(source, changes) if changes else base


def _changes(base: Scenario, overrides: Overrides) -> ScenarioChanges:
    plain = {name: getattr(overrides, name) for name in ("pacing", "poll_interval", "on_refusal", "on_outage")}
    changes = cast(ScenarioChanges, {name: value for name, value in plain.items() if value is not None})
    if overrides.think is not None:
        mean = parse_seconds(overrides.think)
        changes["think_time"] = (
            {"kind": "exponential", "mean": overrides.think} if mean else {"kind": "fixed", "time": "0s"}
        )
    if overrides.slos:
        changes["slos"] = list(overrides.slos)
    if shape := _shape_changes(base, overrides):
        changes["shape"] = shape
    return changes


def _shape_changes(base: Scenario, overrides: Overrides) -> dict[str, Any]:
    kind = "arrivals" if overrides.arrivals is not None else overrides.shape
    if overrides.arrivals is not None and overrides.shape not in {None, "arrivals"}:
        raise ScenarioError(f"--arrivals is a shape of its own; leave --shape {overrides.shape} out")
    changes: dict[str, Any] = {}
    if overrides.users is not None:
        changes["users"] = overrides.users
    if overrides.duration is not None:
        parse_seconds(overrides.duration)
        changes["duration"] = overrides.duration
    if kind is None:
        return changes
    changes["kind"] = kind
    if overrides.arrivals is not None:
        changes["rate"] = parse_rate(overrides.arrivals)
    elif kind == "arrivals" and base.shape.kind != "arrivals":
        raise ScenarioError("--shape arrivals needs --arrivals RATE, such as --arrivals 3/s")
    if kind != base.shape.kind:
        users = base.shape.users if overrides.users is None else overrides.users
        duration = base.shape.duration_s if overrides.duration is None else parse_seconds(overrides.duration)
        changes = {**_proportions(kind, users, duration), **changes}
    return changes


def _proportions(kind: ShapeKind, users: int, duration: float) -> dict[str, Any]:
    """The further numbers of a shape that an option asks for by its name alone."""
    if kind == "ramp":
        return {"from": 1, "ramp": exact_seconds(duration / 2)}
    if kind == "soak":
        return {"from": 1, "ramp": exact_seconds(duration / 10)}
    if kind == "step":
        step = max(1, math.ceil(users / 5))
        return {"from": min(step, users), "step": step, "every": exact_seconds(duration / 5)}
    if kind == "spike":
        third = exact_seconds(duration / 3)
        return {"from": max(1, users // 10), "at": third, "for": third}
    return {}


def parse_rate(text: str) -> float:
    """Messages a second, from a text such as `3/s`, `90/min` or `0.5`. Raises ScenarioError."""
    match = _RATE.fullmatch(text.strip())
    rate = float(match[1]) / _PER[match[2] or "s"] if match else 0.0
    if not match or rate <= 0:
        raise ScenarioError(f"--arrivals {text!r} is no rate; write messages per time, such as 3/s or 90/min")
    return rate
