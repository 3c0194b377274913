"""Tells what befalls overlapping messages from what befalls every message.

A server that is overloaded refuses whom it likes, and an agent may have nothing to say. Only where that happens more
often to messages of which one ran while the other was sent than chance can explain, the overlap is to blame.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Final, NamedTuple

CHANCE: Final = 1e-5
"""How likely it may be at most that what hits all messages alike hit the overlapping ones so often. It is asked anew at
each message, so it must be far below what a single question would allow."""


class Symptom(NamedTuple):
    """What may befall a message."""

    told: str
    """What happened to it, as a sentence goes on behind the words "a message"."""
    tolerated: float = 1.0
    """The share of other messages that may have it; beyond that it tells nothing. An agent may have the habit of
    repeating what it was asked, and may have it more in the first turn of a conversation than in the next."""


class Contrast:
    """The messages of one generator, overlapping ones and the others, and what befell them."""

    def __init__(self) -> None:
        self._messages: Counter[bool] = Counter()
        self._befell: dict[bool, Counter[Symptom]] = {True: Counter(), False: Counter()}

    def note(self, symptom: Symptom | None, *, overlaps: bool) -> bool:
        """Count a message and what befell it; returns whether the overlap is the cause of that."""
        self._messages[overlaps] += 1
        if symptom is None:
            return False
        self._befell[overlaps][symptom] += 1
        return overlaps and self.chance(symptom) <= CHANCE

    def chance(self, symptom: Symptom) -> float:
        """How likely so many hits among the overlapping messages are, if all are hit alike (Fisher's exact test)."""
        overlapping, total = self._messages[True], self._messages.total()
        hits, others = self._befell[True][symptom], self._befell[False][symptom]
        if others > symptom.tolerated * self._messages[False]:
            return 1.0
        return _tail(hits, hits + others, overlapping, total)

    def told(self, symptom: Symptom) -> str:
        """The numbers, in half a sentence."""
        befell, messages = self._befell, self._messages
        return (
            f"{befell[True][symptom]} of {messages[True]} messages that overlapped with another, "
            f"and {befell[False][symptom] or 'none'} of the {messages[False]} others"
        )


def _tail(hits: int, marked: int, drawn: int, total: int) -> float:
    """The probability of `hits` or more marked ones among `drawn` of `total`, of which `marked` are."""
    if hits * total <= marked * drawn:
        return 1.0  # no more than expected: that is no tail
    log = _log_choose(marked, hits) + _log_choose(total - marked, drawn - hits) - _log_choose(total, drawn)
    term = tail = math.exp(log)
    for count in range(hits, min(marked, drawn)):
        term *= (marked - count) * (drawn - count) / ((count + 1) * (total - marked - drawn + count + 1))
        tail += term
        if term < tail * 1e-9:
            break
    return tail


def _log_choose(count: int, chosen: int) -> float:
    return math.lgamma(count + 1) - math.lgamma(chosen + 1) - math.lgamma(count - chosen + 1)
