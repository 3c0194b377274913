"""What a server refused in a plan, and whether more replicas would help: they do not against a limit of the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sendpoll.load.measure.records import Outcome
from sendpoll.load.measure.refusal import OF_THE_SERVICE, REASONS
from sendpoll.load.plan.steps import Step


@dataclass(frozen=True, slots=True)
class Refused:
    """The tasks of a plan that were refused."""

    tasks: int
    started: int
    statuses: Counter[int]
    is_limit: bool
    """Whether most of the tasks that did not end well were refused by a limit of the service."""

    @property
    def sentence(self) -> str:
        """What was refused, why, and what that means for replicas."""
        named = ", ".join(f"{status} {REASONS[status]}" for status, _ in self.statuses.most_common())
        told = f"{self.tasks:,} of {self.started:,} tasks were refused ({named})"
        if not self.is_limit:
            return told
        return f"{told}: a limit of the service or of its tokens, that more replicas do not raise"


def refused_in(steps: Sequence[Step]) -> Refused | None:
    """What was refused in these steps; None where nothing was."""
    records = [record for step in steps for record in step.records]
    statuses = Counter(record.refused_with for record in records if record.outcome is Outcome.REFUSED)
    if not statuses:
        return None
    failed = sum(record.outcome in {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.REFUSED} for record in records)
    failed += sum(step.unfinished for step in steps)
    by_limit = sum(count for status, count in statuses.items() if status in OF_THE_SERVICE)
    started = sum(step.started for step in steps)
    return Refused(statuses.total(), started, statuses, is_limit=2 * by_limit > failed)
