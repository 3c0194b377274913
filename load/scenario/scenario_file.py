"""Scenario files: the shipped ones and the user's own, with what the command line changes in them."""

from __future__ import annotations

import difflib
import importlib.resources
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from sendpoll.core.text.units import exact_seconds, parse_seconds
from sendpoll.load.scenario.scenario import Scenario, ScenarioError
from sendpoll.schemas.contract import JSON, validator

_SCALED = ("ramp", "every", "at", "for")
"""Times of a shape that shrink and grow with a duration that an option sets: the shape keeps its proportions."""


def shipped_scenarios() -> tuple[str, ...]:
    """The names of the scenarios that come with the package, sorted."""
    entries = importlib.resources.files("sendpoll.load").joinpath("scenarios").iterdir()
    return tuple(sorted(entry.name.removesuffix(".yaml") for entry in entries if entry.name.endswith(".yaml")))


def load_scenario(source: str, changes: Mapping[str, Any] | None = None) -> Scenario:
    """Read a scenario, by the name of a shipped one or by the path of a file, and apply what options say.

    `changes` holds values of the file's form, in place of the file's: `{"shape": {"users": 50}}` changes that alone,
    `{"slos": ["ttfe p95 <= 1s"]}` all objectives. Raises ScenarioError that names the file, the place in it and the
    mend.
    """
    described = _read(source)
    _check(described, source)
    if changes:
        described = _changed(described, changes)
        _check(described, f"{source}, as the options change it")
    try:
        return Scenario.from_json(described)
    except ScenarioError as error:
        raise ScenarioError(f"{source}: {error}") from None


def scenario_of(described: object, source: str = "the scenario") -> Scenario:
    """The scenario that a JSON value describes. Raises ScenarioError."""
    return Scenario.from_json(_check(described, source))


def _read(source: str) -> Any:
    if source in shipped_scenarios():
        text = importlib.resources.files("sendpoll.load").joinpath("scenarios", f"{source}.yaml").read_text("utf-8")
    else:
        try:
            text = Path(source).read_text(encoding="utf-8")
        except FileNotFoundError:
            shipped = ", ".join(shipped_scenarios())
            raise ScenarioError(f"{source}: no such file; give a path or one of the shipped: {shipped}") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise ScenarioError(f"{source}: cannot be read: {reason}") from None
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ScenarioError(f"{source}: is no YAML: {' '.join(str(error).split())}") from None


def _check(described: object, source: str) -> JSON:
    if not isinstance(described, dict):
        raise ScenarioError(f"{source}: holds no scenario; it must be a mapping with name, messages and shape")
    broken = next(iter(sorted(validator("files/scenario.json").iter_errors(described), key=_depth)), None)
    if broken is not None:
        place = "/".join(str(part) for part in broken.absolute_path)
        raise ScenarioError(f"{source}: {f'{place}: ' if place else ''}{_mend(broken)}")
    return described


def _depth(error: jsonschema.ValidationError) -> int:
    """The outermost error first: the inner ones often follow from it."""
    return len(error.absolute_path)


def _mend(error: jsonschema.ValidationError) -> str:
    value: Any = error.instance
    keyword: Any = error.validator_value
    schema: Any = error.schema
    shown = json.dumps(value, ensure_ascii=False, default=str)
    shown = f"{shown[:57]}..." if len(shown) > 60 else shown
    if error.validator == "required":
        return f"{next(key for key in keyword if key not in value)!r} is missing; add it"
    if error.validator == "additionalProperties":
        known = list(schema["properties"])
        extra = next(key for key in value if key not in known)
        near = difflib.get_close_matches(str(extra), known, n=1)
        return f"{extra!r} is not known here; " + (f"is it {near[0]!r}?" if near else f"known are {', '.join(known)}")
    if error.validator == "enum":
        return f"{shown} is none of {', '.join(map(str, keyword))}"
    expected = schema.get("description") or f"{error.validator} {json.dumps(keyword)}"
    return f"{shown} does not fit; expected {expected}"


def _changed(described: JSON, changes: Mapping[str, Any]) -> JSON:
    changed = {**described, **changes}
    if "shape" in changes:
        changed["shape"] = _changed_shape(described["shape"], changes["shape"])
    return changed


def _changed_shape(shape: JSON, changes: Mapping[str, Any]) -> JSON:
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
