"""Scenario files: the shipped ones and the user's own, with what the command line changes in them."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_yaml
from sendpoll.core.files.parsed import Parsed
from sendpoll.core.files.schema import require
from sendpoll.core.files.yaml_file import parse_yaml
from sendpoll.core.text.units import exact_seconds, parse_seconds
from sendpoll.load.scenario.scenario import Scenario, ScenarioError
from sendpoll.load.scenario.scenario_json import ScenarioChanges, ScenarioJson, ShapeJson

_SCALED = ("ramp", "every", "at", "for")
"""Times of a shape that shrink and grow with a duration that an option sets: the shape keeps its proportions."""


def shipped_scenarios() -> tuple[str, ...]:
    """The names of the scenarios that come with the package, sorted."""
    entries = importlib.resources.files("sendpoll.load").joinpath("scenarios").iterdir()
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml")))


def load_scenario(source: str, changes: ScenarioChanges | None = None) -> Scenario:
    """Read a scenario, by the name of a shipped one or by the path of a file, and apply what options say.

    `changes` holds values of the file's form, in place of the file's: `{"shape": {"users": 50}}` changes that alone,
    `{"slos": ["ttfe p95 <= 1s"]}` all objectives. Raises ScenarioError that names the file, the place in it and the
    mend.
    """
    try:
        described = _check(_read(source), source)
        if changes:
            described = _check(Parsed(_changed(described, changes)), f"{source}, as the options change it")
    except FileError as error:
        raise ScenarioError(str(error)) from error
    try:
        return Scenario.from_json(described)
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from None


def scenario_of(described: object, source: str = "the scenario") -> Scenario:
    """The scenario that a JSON value describes. Raises ScenarioError."""
    try:
        return Scenario.from_json(_check(Parsed(described), source))
    except FileError as error:
        raise ScenarioError(str(error)) from error


def _read(source: str) -> Parsed:
    if source in shipped_scenarios():
        text = importlib.resources.files("sendpoll.load").joinpath("scenarios", f"{source}.yaml").read_text("utf-8")
        return parse_yaml(text, source)
    if not Path(source).exists():
        shipped = ", ".join(shipped_scenarios())
        raise ScenarioError(f"{source}: no such file; give a path or one of the shipped: {shipped}")
    return load_yaml(Path(source))


def _check(parsed: Parsed, source: str) -> ScenarioJson:
    require(parsed, "files/scenario.json", source)
    described: ScenarioJson = parsed.value
    return described


def _changed(described: ScenarioJson, changes: ScenarioChanges) -> dict[str, Any]:
    changed: dict[str, Any] = {**described, **changes}
    if "shape" in changes:
        changed["shape"] = _changed_shape(described["shape"], changes["shape"])
    return changed


def _changed_shape(before: ShapeJson, changes: Mapping[str, Any]) -> dict[str, Any]:
    shape: dict[str, Any] = {**before}
    if changes.get("kind", shape["kind"]) != shape["kind"]:
        return {"users": shape["users"], "duration": shape["duration"], **changes}
    changed = {**shape, **changes}
    if "from" in shape and "from" not in changes and isinstance(changed["users"], int):
        changed["from"] = min(shape["from"], changed["users"])
    if "duration" in changes:
        factor = _factor(shape["duration"], changes["duration"])
        for key in _SCALED:
            if key in shape and key not in changes:
                changed[key] = exact_seconds(parse_seconds(shape[key]) * factor)
    return changed


def _factor(before: str, after: object) -> float:
    try:
        return parse_seconds(str(after)) / parse_seconds(before)
    except (ValueError, ZeroDivisionError):
        return 1.0  # the check that follows names what is wrong with it
