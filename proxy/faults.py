"""What can be done to a network on purpose: kinds of faults, to which calls, and by which chance or turn. Pure."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sendpoll.core.files.errors import FileError
from sendpoll.core.files.load import load_yaml
from sendpoll.core.files.parsed import Parsed
from sendpoll.core.files.schema import require

CALLS: Final = {
    "workspace": "createWorkspace",
    "conversation": "createConversation",
    "message": "sendMessage",
    "poll": "pollTask",
}
"""How calls are named in a rule, and their operationIds."""


class FaultKind(StrEnum):
    """What happens to one exchange."""

    DELAY = "delay"
    """Its request is held back."""
    JITTER = "jitter"
    """Each piece of its answer is held back for another time."""
    DROP_BEFORE = "drop-before"
    """The connection is reset, and the server never hears of the request."""
    DROP_AFTER = "drop-after"
    """The server acts and answers, and the connection is reset in place of the answer."""
    RESET = "reset"
    """The connection is reset in the middle of the body."""
    CUT = "cut"
    """The connection is closed in the middle of the body."""
    DUPLICATE = "duplicate"
    """The server is asked twice, and the client has the second answer; for polls alone, as networks repeat no POST."""
    DRIP = "drip"
    """The answer comes in small pieces."""
    REFUSE = "refuse"
    """It is answered 429 or 503 with Retry-After, and the server never hears of it."""
    STALE = "stale"
    """A poll is answered from a cache, with what the same URL was answered before; where there is nothing, as ever."""
    POOL = "pool"
    """Behind its answer, all connections of the proxy that idle are closed without a word."""


IN_PLACE: Final = frozenset({FaultKind.DROP_BEFORE, FaultKind.REFUSE, FaultKind.STALE})
"""Faults of which the server never hears."""
_POLLS_ALONE: Final = frozenset({FaultKind.DUPLICATE, FaultKind.STALE})


@dataclass(frozen=True, slots=True)
class FaultRule:
    """Which fault happens to which exchanges."""

    kind: FaultKind
    call: str = ""
    """An operationId; empty for every call of the API."""
    chance: float = 1.0
    every: int = 1
    """Every so many of these calls."""
    turn: int = 0
    """Only the so many-eth of them; 0 for no certain one."""
    seconds: tuple[float, float] = (0.2, 0.2)
    """How long, from and to."""
    status: int = 503
    retry_after: int = 1

    @property
    def name(self) -> str:
        """The fault, and to what it happens."""
        short = next((name for name, operation in CALLS.items() if operation == self.call), "call")
        return f"{self.kind} of {'an' if short[0] in 'aeiou' else 'a'} {short}"


class FaultError(ValueError):
    """A rule makes no sense; the message names it and the mend."""


def parse_fault(text: str) -> FaultRule:
    """A rule as the command line has it: `reset,call=poll,chance=0.1`. Raises FaultError."""
    kind, *pairs = (part.strip() for part in text.split(","))
    told: dict[str, Any] = {"fault": kind}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise FaultError(f"--fault {text!r}: {pair!r} has no value; write it as {pair}=VALUE")
        told[key] = _number(value)
    return _rule(told, f"--fault {text!r}")


def load_faults(path: Path) -> list[FaultRule]:
    """The rules in a file (`files/network.json`). Raises FaultError."""
    try:
        parsed = load_yaml(path)
        require(parsed, "files/network.json", str(path))
        return [_rule(told, f"{path}: faults/{number}") for number, told in enumerate(parsed.value["faults"])]
    except FileError as error:
        raise FaultError(str(error)) from error


def _number(text: str) -> object:
    percent = text.endswith("%")
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return text
    number = number / 100 if percent else number
    return int(number) if number.is_integer() and not percent else number


def _rule(told: dict[str, Any], place: str) -> FaultRule:
    try:
        require(Parsed({"faults": [told]}), "files/network.json", place)
    except FileError as error:
        raise FaultError(str(error).replace("faults/0", "the rule")) from error
    kind, call = FaultKind(told["fault"]), CALLS.get(told.get("call", ""), "")
    if kind in _POLLS_ALONE and call not in {"", "pollTask"}:
        raise FaultError(f"{place}: {kind} happens to polls alone; write call=poll, or leave it out")
    low, high = _range(told.get("seconds", 0.2), place)
    return FaultRule(
        kind,
        "pollTask" if kind in _POLLS_ALONE else call,
        float(told.get("chance", 1.0)),
        told.get("every", 1),
        told.get("turn", 0),
        (0.0 if kind is FaultKind.JITTER and low == high else low, high),
        told.get("status", 503),
        told.get("retry_after", 1),
    )


def _range(told: object, place: str) -> tuple[float, float]:
    low, dots, high = str(told).partition("..")
    try:
        found = float(low), float(high if dots else low)
    except ValueError:
        found = (-1.0, -1.0)
    if not 0 <= found[0] <= found[1] <= 3600:
        raise FaultError(f"{place}: seconds {str(told)!r} is no time; write seconds, such as 0.2 or 0.1..0.5")
    return found


@dataclass(frozen=True, slots=True)
class DrawnFault:
    """A fault that happens now, and for how long."""

    rule: FaultRule
    seconds: float

    @property
    def kind(self) -> FaultKind:
        """What happens."""
        return self.rule.kind


@dataclass(slots=True)
class FaultDice:
    """Draws what happens to each exchange, by one seed. For one thread."""

    rules: Sequence[FaultRule]
    seed: int = 0
    _random: random.Random = field(init=False)
    _asked: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def draw(self, operation: str) -> DrawnFault | None:
        """What happens to a call: the first rule that hits; None where none does. What is no call is left alone."""
        hit: DrawnFault | None = None
        for number, rule in enumerate(self.rules):
            if not operation or rule.call not in {"", operation}:
                continue
            self._asked[number] += 1
            turn = self._asked[number]
            its_turn = turn == rule.turn if rule.turn else turn % rule.every == 0
            falls = self._random.random() < rule.chance  # drawn for each, so that one rule does not change another
            seconds = self._random.uniform(*rule.seconds)
            if hit is None and its_turn and falls:
                hit = DrawnFault(rule, seconds)
        return hit

    def seconds(self, drawn: DrawnFault) -> float:
        """Another time within those of a fault."""
        return self._random.uniform(*drawn.rule.seconds)
