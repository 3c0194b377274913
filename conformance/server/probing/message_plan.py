"""Which messages a run sends, the most valuable first: each costs the time of an agent, and money."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

HELD_FROM = 4
"""Messages from which on one is held for probes: a right server refuses those, and one that does not is found out."""
_ANY_TASK = re.compile(r"(BODY|AUTH|OWN|NF|METHOD|CONV|RESTART)-\d+|CORS-[12346]|FROM-[1235]|REQ-(1|2|3|8|10|11)")
"""Rows for which the task of the first walk is enough."""
_NEEDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "QUEUE-1": frozenset({"queue"}),
        "FROM-4": frozenset({"long"}),
        "POLL-11": frozenset({"long"}),
        "HTTP-7": frozenset({"idle", "node", "chromium"}),
        "HTTP-8": frozenset({"idle", "node", "chromium"}),
        "REQ-4": frozenset({"curl", "node", "chromium", "dart"}),
        "REQ-6": frozenset({"curl", "node", "chromium", "dart"}),
        "REQ-7": frozenset({"curl", "node", "chromium", "dart"}),
    }
)
"""Rows that need certain parts of the corpus and no others."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the corpus, as far as a plan looks at it."""

    name: str
    sentence: str
    messages: int


PARTS = (
    Part("first", "go on with the first walk at the published pace", 0),
    Part("idle", "let connections idle between two polls", 0),
    Part("queue", "send two messages of one conversation at once", 2),
    Part("curl", "do as curl does, byte for byte", 1),
    Part("long", "ask for an answer of more than 100 events, with odd offsets in between", 1),
    Part("overlap", "read one task with an eager, an overlapping and a restarting reader", 1),
    Part("third", "send a third message of that conversation when both are answered", 1),
    Part("node", "do as node does, byte for byte", 1),
    Part("chromium", "do as chromium does, byte for byte", 1),
    Part("dart", "do as dart does, byte for byte", 1),
    Part("late", "leave a task alone until it is over, then read it", 1),
    Part("crowd", "read a task with four readers at the moment it ends", 1),
    Part("crowd again", "and another one", 1),
)
"""In the order of their worth; each serves the more rows, or the graver ones, the further in front it stands."""


@dataclass(frozen=True, slots=True)
class MessagePlan:
    """What a run sends beside its probes."""

    parts: tuple[Part, ...]
    held: int
    """Messages that are held for probes."""
    is_cut: bool = False
    """Whether the budget was too small for all that the rows need."""

    @property
    def messages(self) -> int:
        """How many messages that is, the first walk among them."""
        return 1 + sum(part.messages for part in self.parts)

    def has(self, name: str) -> bool:
        """Whether a part is in the plan."""
        return any(part.name == name for part in self.parts)


def plan_messages(budget: int, rows: Iterable[str] = ()) -> MessagePlan:
    """The parts that a budget of messages affords, of those that the rows need; all rows where none is named.

    What no message is left for is done with the task of the first walk, as far as that goes.
    """
    held = 1 if budget >= HELD_FROM else 0
    left = budget - 1 - held
    wanted = _wanted(frozenset(rows))
    chosen: list[Part] = []
    for part in PARTS:
        if part.messages <= left and part.name in wanted and not (part.name == "third" and _lacks(chosen, "queue")):
            chosen.append(part)
            left -= part.messages
    return MessagePlan(tuple(chosen), held, is_cut=any(part.name in wanted and part not in chosen for part in PARTS))


def _wanted(rows: frozenset[str]) -> frozenset[str]:
    everything = frozenset(part.name for part in PARTS)
    if not rows:
        return everything
    wanted = {"first"}
    for row in rows:
        wanted |= frozenset() if _ANY_TASK.fullmatch(row) else _NEEDS.get(row, everything)
    return frozenset(wanted)


def _lacks(chosen: Iterable[Part], name: str) -> bool:
    return all(part.name != name for part in chosen)
