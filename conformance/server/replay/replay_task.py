"""Sends a task's message again and has readers of the same habits read the new task: what no single exchange shows.

Offsets and ids are the server's own and other ones the second time, so the polls themselves cannot be repeated. The
message, the readers and the oracle that judges them can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sendpoll.conformance.results.report_json import Report, ViolationTold
from sendpoll.conformance.server.inputs.prompts import PROMPTS
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.client_profiles import PROFILES
from sendpoll.conformance.server.probing.endings import BudgetSpentError, RunOverError, TargetLostError
from sendpoll.conformance.server.probing.recorder import Recorder
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import (
    EAGER,
    LATE,
    OVERLAPPING,
    PUBLISHED,
    RESTARTING,
    Habit,
    RecordedTask,
    read_again,
    read_to_end,
    read_together,
)
from sendpoll.conformance.server.transport.connection import NoConnectionError
from sendpoll.core.target.target import Target

JUDGED = frozenset({"POLL-5", "POLL-6", "POLL-7", "POLL-8", "POLL-12", "POLL-13"})
"""The requirements that the oracle judges by all polls of a task."""

_KIND = re.compile(r"task '(\w+)': ")
_TASK = re.compile(r"/api/v1/tasks/([^/?]+)")
_AT_ONCE: tuple[Habit, ...] = (EAGER, OVERLAPPING, RESTARTING, PUBLISHED)
_ENDINGS = (BudgetSpentError, NoConnectionError, RunOverError, TargetLostError)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a report tells of its run's tasks."""

    workspace: str | None = None
    shape: str = ""
    """The client in whose form the target was spoken to."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Task id to the kind of its message."""

    @classmethod
    def of(cls, report: Report) -> Recorded:
        """Read it from a report."""
        target = report["target"]
        kinds = {task["task_id"]: task["prompt"] for task in report["tasks"]}
        return cls(target.get("workspace"), target.get("shape", ""), kinds)

    def kind(self, violation: ViolationTold) -> str | None:
        """The kind of message whose task a violation is about; None where the report does not tell."""
        named = _KIND.match(violation["sentence"])
        targets = (exchange["request"]["target"] for exchange in violation["exchanges"])
        asked = (found.group(1) for target in targets if (found := _TASK.search(target)))
        kind = named.group(1) if named else next((self.kinds[task] for task in asked if task in self.kinds), None)
        return kind if kind in PROMPTS else None


@dataclass(frozen=True, slots=True)
class Reread:
    """A new task of a kind, and what its readers saw."""

    broken: Mapping[str, str]
    """Requirement id to how it was broken."""
    polls: int
    ended: bool
    """Whether it came to its end before all its readers."""
    trouble: str = ""
    """Why there is no such task, or why it could not be read; empty where it could."""


def read_anew(kind: str, recorded: Recorded, target: Target) -> Reread:
    """Send a message of a kind, and read its task as a run does: by all habits at once, late, and from old offsets."""
    recorder = Recorder(replace(target, workspace=recorded.workspace or target.workspace))
    context = RunContext(recorder, seed=0, examples=1)
    shape = next((shape for shape in PROFILES if shape.name == recorded.shape), PROFILES[0])
    api = Api(recorder, shape)
    try:
        ensured = context.ensure_workspace(api)
        opened, conversation = context.open_conversation(api)
        if conversation is None:
            return _none(f"no conversation could be opened: {opened.outcome if ensured.ok else ensured.outcome}")
        sent, task = context.send(api, conversation, kind)
        if task is None:
            return _none(f"the message was not taken: {sent.outcome}")
        read_together(api, task, *_AT_ONCE)
        read_to_end(api, task, LATE)
        read_again(api, task)
    except _ENDINGS as error:
        return _none(str(error) or "the time that a run may take is over")
    if task.unusable is not None:
        return _none(f"a poll of the new task could not be read: {task.unusable.outcome}")
    return Reread(dict(_broken(recorder, task)), task.polls, task.is_over)


def _broken(recorder: Recorder, task: RecordedTask) -> Iterator[tuple[str, str]]:
    """What single answers, and what all of them together, have broken."""
    for requirement in JUDGED:
        for shown in recorder.tally(requirement).violations[:1]:
            yield requirement, shown.sentence
    contradictions = (found.violation for found in task.contradictions)
    for violation in (*contradictions, *task.history.conclude()):
        yield violation.requirement, violation.sentence


def _none(trouble: str) -> Reread:
    return Reread({}, 0, ended=False, trouble=trouble)
