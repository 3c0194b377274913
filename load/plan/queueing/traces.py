"""Tasks as a queueing model sees them: when each arrived, and between which two polls it began and ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sendpoll.load.measure.records import Outcome, TaskRecord

_SAY_NOTHING = frozenset({Outcome.DROPPED, Outcome.FAILED})
"""Of the queue: the one never arrived, the other broke."""
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Traces:
    """Tasks in the order of their arrival, one entry each. Times are seconds since the start of the run.

    What polls show is a span: the event, or the end, came after one poll and before the next.
    """

    arrived: Floats
    """When the message was sent."""
    first_low: Floats
    first_high: Floats
    """The first event; both infinite where none was seen."""
    end_low: Floats
    end_high: Floats
    """The end. Of a task that was given up, `end_low` is when, and `end_high` infinite."""
    refused: Bools
    """Turned away because the server had enough to do."""

    def __len__(self) -> int:
        """How many tasks there are."""
        return len(self.arrived)

    def chosen(self, which: Bools) -> Traces:
        """Some of them."""
        return Traces(
            self.arrived[which],
            self.first_low[which],
            self.first_high[which],
            self.end_low[which],
            self.end_high[which],
            self.refused[which],
        )

    @property
    def ended(self) -> Floats:
        """The middle of the span in which each ended; when it was given up, for one that did not."""
        return np.where(np.isfinite(self.end_high), (self.end_low + self.end_high) / 2, self.end_low)


def traces_of(
    records: Sequence[TaskRecord], poll_interval_s: float, open_since: Sequence[float] = (), now: float = 0.0
) -> Traces:
    """The tasks that a server worked on, or refused, and those that have not ended by now."""
    rows = [_row(record, poll_interval_s) for record in records if record.outcome not in _SAY_NOTHING]
    rows += [(at, np.inf, np.inf, max(at, now), np.inf, 0.0) for at in open_since]
    rows.sort()
    table = np.array(rows, dtype=float).reshape(-1, 6)
    arrived, first_low, first_high, end_low, end_high = (table[:, column] for column in range(5))
    return Traces(arrived, first_low, first_high, end_low, end_high, table[:, 5] > 0)


def _row(record: TaskRecord, poll_interval_s: float) -> tuple[float, ...]:
    finished = record.outcome is Outcome.FINISHED
    turned_away = record.outcome is Outcome.REFUSED
    sent, ended = record.sent_at, record.ended_at
    end_low = max(sent, ended - poll_interval_s) if finished else ended
    if record.ttfe_s is None:
        first_low = first_high = np.inf
    else:
        first_high = min(record.scheduled_at + record.ttfe_s, ended)
        lower = record.ttfe_lower_s
        first_low = max(sent, first_high - poll_interval_s if lower is None else record.scheduled_at + lower)
    end_high = ended if finished else np.inf
    return sent, min(first_low, first_high), first_high, end_low, end_high, float(turned_away)
