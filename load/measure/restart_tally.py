"""What a restart of the server cost a load run: who was on the way, how they fared, and when all was as before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypedDict

from sendpoll.core.text.units import counted, short_seconds
from sendpoll.load.measure.records import Outcome, TaskRecord


class RestartTold(TypedDict):
    """As reports write it; seconds, since the start of the run or of the restart."""

    command: str
    at_s: float
    answered_after_s: float | None
    """Until the server answered again; None where it did not."""
    good_task_after_s: float | None
    """Until a task that was sent behind the restart had come to its end; None where none had."""
    tasks: int
    """Those that were on the way when it came."""
    outcomes: dict[str, int]
    """How they ended."""
    sentence: str


@dataclass(slots=True)
class RestartTally:
    """Counts from the moment of the restart on."""

    command: str
    at_s: float
    answered_after_s: float | None = None
    _outcomes: Counter[Outcome] = field(default_factory=Counter)
    _good_at: float | None = None

    def note(self, records: Iterable[TaskRecord]) -> None:
        """Take in tasks that have ended."""
        for record in records:
            if record.sent_at < self.at_s <= record.ended_at:
                self._outcomes[record.outcome] += 1
            elif record.sent_at >= self.at_s and record.outcome is Outcome.FINISHED:
                self._good_at = min(self._good_at or record.ended_at, record.ended_at)

    def told(self) -> RestartTold:
        """All of it."""
        good = None if self._good_at is None else self._good_at - self.at_s
        outcomes = {outcome.name.lower(): count for outcome, count in sorted(self._outcomes.items())}
        return {
            "command": self.command,
            "at_s": round(self.at_s, 3),
            "answered_after_s": None if self.answered_after_s is None else round(self.answered_after_s, 3),
            "good_task_after_s": None if good is None else round(good, 3),
            "tasks": self._outcomes.total(),
            "outcomes": outcomes,
            "sentence": self._sentence(good, outcomes),
        }

    def _sentence(self, good: float | None, outcomes: dict[str, int]) -> str:
        back = "did not answer again"
        if self.answered_after_s is not None:
            back = f"answered again after {short_seconds(self.answered_after_s)}"
        ended = "none of later ones came to its end"
        if good is not None:
            ended = f"the first later one came to its end {short_seconds(good)} behind it"
        fared = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in outcomes.items())
        return (
            f"at {short_seconds(self.at_s)} the server was restarted, and {back}: of "
            f"{counted(self._outcomes.total(), 'task')} on the way {fared or 'nothing is known'}; {ended}"
        )
