"""Several readers and tasks, interleaved by Hypothesis: sends, polls from any offset, re-reads and restarts."""

from __future__ import annotations

import pytest
from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from sendpoll.conformance.http.exchange import Intent
from sendpoll.conformance.http.limits import INTERLEAVED_MESSAGES
from sendpoll.conformance.server.checks.check_result import CheckResult
from sendpoll.conformance.server.inputs.fuzzing import EarlyEnd, nothing_on_disk, suite_settings
from sendpoll.conformance.server.probing.recorded_tasks import Corpus
from sendpoll.conformance.server.probing.run_context import RunContext
from sendpoll.conformance.server.probing.task_readers import RecordedTask

STAGE = 4
_READERS = 3


class Interleaving:
    """What all examples of one run share: the server keeps its state between them, so the machine does too."""

    def __init__(self, context: RunContext, case: CheckResult) -> None:
        self.context = context
        self.case = case
        self.tasks: list[RecordedTask] = [task for task in context.tasks if task.unusable is None][-4:]
        self.offsets: dict[tuple[int, str], int] = {}
        self.sent = 0
        self.ending = EarlyEnd()

    def go_on(self, reader: int, task: RecordedTask) -> None:
        """Poll from where the reader stands."""
        self.poll(reader, task, self.offsets.get((reader, task.task_id), 0))

    def poll(self, reader: int, task: RecordedTask, offset: int) -> None:
        """Poll, and tell the case of every contradiction that it adds."""
        known = len(task.contradictions)
        poll = task.poll(self.context.api, offset, f"interleaved {reader}")
        self.case.exercise()
        for found in task.contradictions[known:]:
            if found.violation.requirement == self.case.requirement:
                self.case.violate(f"task {task.kind!r}: {found.violation.sentence}", *found.exchanges)
        if poll is not None and poll.next_offset is not None:
            self.offsets[reader, task.task_id] = poll.next_offset

    @property
    def may_send(self) -> bool:
        """Whether a further message is allowed."""
        affordable = self.context.recorder.affordable > 0 and self.context.has_time_for(1)
        return self.sent < INTERLEAVED_MESSAGES and affordable

    def send(self, into: RecordedTask | None) -> None:
        """Send a message into a conversation that exists, or into a new one."""
        conversation = into.conversation if into else self.context.open_conversation(self.context.api)[1]
        if conversation is None:
            return
        self.sent += 1
        # In a conversation whose task still runs, a server may refuse it.
        _, task = self.context.send(self.context.api, conversation, "plain", intent=Intent.SHAPE)
        if task is not None:
            self.tasks.append(task)


def machine(shared: Interleaving) -> type[RuleBasedStateMachine]:
    """The machine over what the run shares. Its rules draw which reader does what to which task.

    What is drawn depends on nothing that an earlier example changed, or Hypothesis finds it inconsistent.
    """
    readers = st.integers(1, _READERS)
    picks = st.integers(0, 1_000_000)

    def task_of(pick: int) -> RecordedTask:
        return shared.tasks[pick % len(shared.tasks)]

    class Readers(RuleBasedStateMachine):
        @rule(reader=readers, pick=picks)
        def go_on(self, reader: int, pick: int) -> None:
            shared.ending.attempt(lambda: shared.go_on(reader, task_of(pick)))

        @rule(reader=readers, pick=picks)
        def start_again(self, reader: int, pick: int) -> None:
            shared.ending.attempt(lambda: shared.poll(reader, task_of(pick), 0))

        @rule(reader=readers, pick=picks, where=picks)
        def jump(self, reader: int, pick: int, where: int) -> None:
            known = sorted(task_of(pick).history.offsets)
            shared.ending.attempt(lambda: shared.poll(reader, task_of(pick), known[where % len(known)]))

        @rule(reader=readers, pick=picks, fresh=st.booleans())
        def send(self, reader: int, pick: int, fresh: bool) -> None:
            if shared.may_send:
                shared.ending.attempt(lambda: shared.send(None if fresh else task_of(pick)))
            else:
                shared.ending.attempt(lambda: shared.go_on(reader, task_of(pick)))

    return Readers


@pytest.mark.requirement("POLL-5")
def test_interleaved_readers(bench: RunContext, corpus: Corpus, case: CheckResult) -> None:
    """Whatever order readers come in, they see one log."""
    shared = Interleaving(bench, case)
    if not shared.tasks:
        case.not_exercised("no task could be read")
    examples = max(3, bench.examples // 10)
    with nothing_on_disk(), shared.ending.kept():
        run_state_machine_as_test(
            seed(bench.seed)(machine(shared)),
            settings=suite_settings(examples, steps=20),
        )
    shared.ending.tell()
