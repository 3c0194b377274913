"""When the next poll is due. Pure; moments are seconds of one monotonic clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from sendpoll.load.scenario.scenario import Scenario


class Pacing(Protocol):
    """The rhythm of one task's polls, behind the first one, which leaves as soon as the message is accepted."""

    def next_after(self, received_at: float) -> tuple[float, Sequence[float]]:
        """When the poll after the answer received then is due, and the polls that fell out because it was so late."""
        ...


class LoopPacing:
    """One interval after each answer, as the published clients sleep."""

    def __init__(self, interval: float) -> None:
        self._interval = interval

    def next_after(self, received_at: float) -> tuple[float, Sequence[float]]:
        """The answer's reception and an interval; nothing ever falls out."""
        return received_at + self._interval, ()


class GridPacing:
    """At fixed moments, an interval apart, counted from the send: a late answer delays no later poll.

    The poll that was due first while the answer was awaited is made up for at once; the others fall out.
    """

    def __init__(self, sent_at: float, interval: float) -> None:
        self._point = sent_at
        self._interval = interval

    def next_after(self, received_at: float) -> tuple[float, Sequence[float]]:
        """The next point of the grid, in the past if it was missed; and the further points that were missed."""
        self._point += self._interval
        due = self._point
        missed = []
        while self._point + self._interval <= received_at:
            self._point += self._interval
            missed.append(self._point)
        return due, missed


def pacing_of(scenario: Scenario, sent_at: float) -> Pacing:
    """The pacing that a scenario asks for, for a task whose message was sent then."""
    if scenario.pacing == "grid":
        return GridPacing(sent_at, scenario.poll_interval_s)
    return LoopPacing(scenario.poll_interval_s)
