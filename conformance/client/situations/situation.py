"""A situation as data, from its YAML file: strict, so that a misspelt key is an error and no silent green."""

from __future__ import annotations

import functools
import importlib.resources
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import yaml

from sendpoll.conformance.client.serving.messages import Call
from sendpoll.conformance.client.serving.right_api import chunk
from sendpoll.core.validation import validator
from sendpoll.schemas.catalogue import Subject, load_catalogue
from sendpoll.schemas.contract import JSON

CONTROL = "plain"
"""The situation in which nothing happens: what a client does not do there says nothing about any other."""
MESSAGE = "Which words come next?"
WORKSPACE = "judged"

_CALLS: Mapping[str, Call] = MappingProxyType(
    {
        "workspace": "createWorkspace",
        "conversation": "createConversation",
        "message": "sendMessage",
        "poll": "pollTask",
        "answer": "",
    }
)
_ON = re.compile(r"(\w+)(?: (\d+)(?: to (\d+)|( on))?)?")
_EVERY = 1_000_000_000
_DEFAULT_EVENTS: tuple[Any, ...] = ("alpha-7,", "beta-8,", "gamma-9,", "delta-10,", "epsilon-11.")


class SituationError(ValueError):
    """A situation's file is wrong; the message names the file, the place and the mend."""


class Expectation(StrEnum):
    """What the client's user must have in the end."""

    ANSWER = "answer"
    """The whole answer, and exit code 0."""
    SHOWN = "shown"
    """The whole answer, and an end."""
    FAILURE = "failure"
    """An end with another exit code."""
    EITHER = "either"
    """One of answer and failure."""
    TRAFFIC = "traffic"
    """Only the requests tell."""


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """What happens to some of the calls."""

    call: Call
    """Empty for all of them."""
    first: int
    last: int
    """By number, from 1."""
    do: Mapping[str, Any]

    def hits(self, call: Call, number: int) -> bool:
        """Whether it happens to that call, the how manieth of its kind it may be."""
        return self.call in ("", call) and call != "preflight" and self.first <= number <= self.last


@dataclass(frozen=True, slots=True)
class Player:
    """One run of the client in a situation: what it is told, and what it must show."""

    message: str
    events: tuple[Any, ...]

    @property
    def chunks(self) -> tuple[str, ...]:
        """The texts of the answer, in their order."""
        return tuple(
            event["data"]["content"]
            for event in self.events
            if isinstance(event, dict) and event.get("type") == "text_chunk"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """One situation."""

    name: str
    title: str
    judges: tuple[str, ...]
    expect: Expectation
    players: tuple[Player, ...]
    """One, or two that run at the same time."""
    stages: tuple[tuple[int, str], ...]
    offsets: tuple[int, ...] = ()
    first_offset: int = 0
    silent_stage: int | None = None
    """The stage, from 0, that lasts as long as the patience of the run."""
    task_id: str = "task-1"
    workspace: str = WORKSPACE
    workspace_is_new: bool = False
    conversation_id: str = "conv-1"
    conversation_is_given: bool = False
    escapes: bool = False
    keys: Mapping[str, Any] = field(default_factory=dict)
    host: str = "127.0.0.1"
    faults: tuple[InjectedFault, ...] = ()

    @property
    def is_slow(self) -> bool:
        """Whether it may last as long as the patience of the run."""
        return self.silent_stage is not None or any(fault.do.get("end") in {"hang", "drip"} for fault in self.faults)

    @property
    def redirects(self) -> bool:
        """Whether it needs another server to lead to."""
        return any(fault.do.get("redirect") for fault in self.faults)


@functools.cache
def load_situations() -> tuple[Situation, ...]:
    """Every situation, the control first, the others by name. Raises SituationError where a file is wrong."""
    folder = importlib.resources.files("sendpoll.conformance.client.situations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    found = [
        parse_situation(folder.joinpath(name).read_text(encoding="utf-8"), name.removesuffix(".yaml")) for name in names
    ]
    return tuple(sorted(found, key=lambda situation: situation.name != CONTROL))


def parse_situation(text: str, name: str) -> Situation:
    """The situation in a YAML text. Raises SituationError, which names the place."""
    try:
        raw = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SituationError(f"{name}.yaml is no YAML: {' '.join(str(error).split())}") from error
    for broken in validator("files/situation.json").iter_errors(raw):
        place = "/".join(map(str, broken.absolute_path)) or "the file"
        raise SituationError(f"{name}.yaml: {place}: {broken.message}")
    known = load_catalogue(Subject.CLIENT).by_id
    if unknown := [row for row in raw["judges"] if row not in known]:
        raise SituationError(f"{name}.yaml: judges: client_requirements.yaml has no row {unknown[0]}")
    return _situation(name, raw)


def _situation(name: str, raw: JSON) -> Situation:
    task: JSON = raw.get("task", {})
    events = _events(task.get("events", _DEFAULT_EVENTS), task.get("repeat", 1))
    players = [Player(raw.get("message", MESSAGE), events)]
    if "twin" in raw:
        players.append(Player(raw["twin"]["message"], _events(raw["twin"]["events"], 1)))
    given = {
        "offsets": tuple(task.get("offsets", ())),
        "first_offset": task.get("first_offset", 0),
        "silent_stage": task["silence_in_stage"] - 1 if "silence_in_stage" in task else None,
        "task_id": task.get("id", "task-1"),
    }
    names = ("workspace", "workspace_is_new", "conversation_id", "conversation_is_given", "escapes", "keys", "host")
    given |= {key: raw[key] for key in names if key in raw}
    if given["offsets"] and len(given["offsets"]) <= len(events):
        raise SituationError(f"{name}.yaml: task/offsets: {len(events)} events need {len(events) + 1} of them")
    return Situation(
        name=name,
        title=raw["title"],
        judges=tuple(raw["judges"]),
        expect=Expectation(raw["expect"]),
        players=tuple(players),
        stages=tuple(_stage(written) for written in task.get("stages", ("all running", "all completed"))),
        faults=tuple(_fault(entry) for entry in raw.get("faults", ())),
        **given,
    )


def _events(written: Sequence[Any], times: int) -> tuple[Any, ...]:
    repeated = [
        f"{number}: {event}" if times > 1 and isinstance(event, str) else event
        for number in range(times)
        for event in written
    ]
    return tuple(chunk(event) if isinstance(event, str) else event for event in repeated)


def _stage(written: str) -> tuple[int, str]:
    count, _, status = written.partition(" ")
    return (_EVERY if count == "all" else int(count), status)


def _fault(entry: JSON) -> InjectedFault:
    match = _ON.fullmatch(entry["at"])
    assert match is not None  # noqa: S101 - the schema has the pattern
    call, first, last, on = match.groups()
    if first is None:
        return InjectedFault(_CALLS[call], 1, _EVERY, entry)
    return InjectedFault(_CALLS[call], int(first), int(last) if last else _EVERY if on else int(first), entry)
