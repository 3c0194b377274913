"""One task of one user: send the message, poll to the end, perhaps leave early, perhaps read the answer again.

Meanwhile a second device may read the task too, and the user may write again in the same conversation. Polls leave
0.5 s (or what the scenario says) after the last answer, as the published clients do, or on a fixed grid. Every answer
goes through the oracle, whoever read it; what it contradicts, and what the schemas say, ends up in the task's record.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gevent import GreenletExit

from sendpoll.core.oracle import RUNNING, Poll, TaskHistory, Violation, chunk_text
from sendpoll.load.http.client import Answer
from sendpoll.load.http.request import PollRequest
from sendpoll.load.measure.records import Exchange, Outcome, TaskRecord
from sendpoll.load.users.caller import REREAD, Caller, CallFailed
from sendpoll.load.users.canaries import may_hold_mark
from sendpoll.load.users.concurrent_activity import ConcurrentActivity, SecondReader
from sendpoll.load.users.errand import CALLS, Errand, Sent
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.overlap_test import Symptom
from sendpoll.load.users.pacing import pacing_of
from sendpoll.load.users.pause import pause_until
from sendpoll.load.users.validation import TASK, Breach, PollBody, UnusableBodyError

_now = time.perf_counter


_ENDED: Final = frozenset({Outcome.FINISHED, Outcome.FAILED})
_REREADING_S: Final = 10.0
"""For how long a user who waits tries to read a log once more."""
_SILENT: Final = Symptom("ended without any event")
_DEAF: Final = Symptom("is not repeated in its answer", tolerated=0.01)


@dataclass(slots=True)
class _Seen:
    """What the polls have shown so far, for the record."""

    polls: int = 0
    empty: int = 0
    events: int = 0
    size: int = 0
    status: str = ""
    first_at: float | None = None
    first_lower: float = 0.0
    last_at: float = 0.0
    stall: float = 0.0


@dataclass(slots=True)
class TaskWalk:
    """Walks one task from the send to its record."""

    generator: Generator
    caller: Caller
    errand: Errand
    step: int
    beside: ConcurrentActivity | None = None
    """Needed for an errand with a second reader or a follow-up."""
    broken: list[Breach] = field(default_factory=list)
    error: str = ""
    outcome: Outcome = Outcome.ABANDONED
    task: str = ""
    """The task's id, once the message is accepted."""
    _before: str = ""
    """The task that a follow-up found running."""
    _refusals_before: int = 0
    """Refusals that the caller had met before this task."""
    _outages_before: int = 0
    """Outages that the caller had bridged before: who has bridged one reads the whole log once more at the end."""
    _is_refused: bool = False
    """Whether the message was clearly refused because another of its conversation may still run."""
    _is_cut: bool = False
    """Whether we ended it, which says nothing about the server: as if its user had left."""
    _sent_at: float = 0.0
    _accepted_at: float = 0.0
    _submitted: float | None = None
    _ended_at: float = 0.0
    _seen: _Seen = field(default_factory=_Seen)
    _history: TaskHistory = field(default_factory=TaskHistory)
    _last: Poll | None = None
    """The last poll that brought news."""

    @property
    def _ends_at(self) -> float:
        """The task's deadline, by `time.perf_counter`."""
        return self.errand.scheduled_at + self.generator.scenario.task_deadline_s

    @property
    def failed(self) -> bool:
        """Whether the server refused or broke the task."""
        return bool(self.error)

    def walk(self) -> Outcome:
        """Do the whole errand; the record is booked whatever happens."""
        self._sent_at = _now()
        self._refusals_before = self.caller.refusals
        self._outages_before = self.caller.outages
        try:
            self._errand()
            self._compare_with_others(None)
        except CallFailed as failure:
            self.outcome, self.error = self._outcome_of(failure), str(failure)
            self._compare_with_others(failure)
        except UnusableBodyError as refused:
            self.outcome, self.error = Outcome.FAILED, self.generator.redactor.text(str(refused))
        except GreenletExit:
            if self.outcome is Outcome.ABANDONED:
                self._is_cut, self.error = True, "the run ended"
            raise
        except Exception:
            self.outcome, self.error = Outcome.ABANDONED, "the generator broke"
            raise
        finally:
            self._ended_at = self._ended_at or _now()
            try:
                if self.beside is not None:
                    self.beside.stop()
            finally:
                self.generator.task_ended(self._record())
        return self.outcome

    def _outcome_of(self, failure: CallFailed) -> Outcome:
        self._is_refused = self.errand.sent is not Sent.ALONE and self._submitted is None and failure.is_refusal
        if self._is_refused:
            return Outcome.ABANDONED
        return Outcome.REFUSED if failure.refusal else Outcome.FAILED

    def _errand(self) -> None:
        requests = self._send()
        self._begin_beside(requests)
        self.outcome = self._poll_to_end(requests)
        self._ended_at = _now()
        if self.outcome in _ENDED:
            if self.beside is not None:
                self.beside.await_all()
            for violation in self._history.conclude():
                self._book(violation)
            if self.errand.reread or self.caller.outages > self._outages_before:
                self._reread(requests)

    def _begin_beside(self, requests: PollRequest) -> None:
        """Let the second device read, and the user write again, each over its own connection."""
        errand, beside = self.errand, self.beside
        if beside is None:
            return
        if errand.second_reader_after is not None:
            reader = SecondReader(self.generator, requests, self._judge, self.broken)
            starts_at = self._accepted_at + errand.second_reader_after
            beside.begin("reader", lambda caller: reader.read(caller, starts_at, self._ends_at))
        if errand.follow_up is not None:
            beside.begin("writer", self._write_again)

    def _write_again(self, caller: Caller) -> None:
        follow_up = self.errand.follow_up
        assert follow_up is not None  # noqa: S101 - for the type checker; the caller has looked
        pause_until(self._accepted_at + follow_up.scheduled_at)
        errand = replace(follow_up, scheduled_at=_now())
        TaskWalk(self.generator, caller, errand, self.generator.task_started(), _before=self.task).walk()

    def _send(self) -> PollRequest:
        generator, errand = self.generator, self.errand
        request = self.caller.request_builder.send_message(self.caller.workspace, errand.conversation, errand.text)
        answer = self.caller.ask(CALLS[errand.sent][0], request, self.broken, self._ends_at)
        try:
            self.task, findings = generator.judge.identifier(answer.body, TASK, "task_id")
        except UnusableBodyError as refused:
            self.caller.book_findings(self.broken, refused.findings, request, answer)
            raise
        if self.task == self._before:
            findings = (*findings, ("QUEUE-1", "two messages of one conversation were given one and the same task"))
        self.caller.book_findings(self.broken, findings, request, answer)
        self._submitted = answer.received_at - answer.sent_at
        self._accepted_at = answer.received_at
        if errand.sent is not Sent.FOLLOW_UP:
            generator.metrics.submit(self._submitted)
        return self.caller.request_builder.poll(self.task)

    def _poll_to_end(self, requests: PollRequest) -> Outcome:
        generator, caller, errand = self.generator, self.caller, self.errand
        pacing = pacing_of(generator.scenario, self._sent_at)
        ends_at = self._ends_at
        leaves_at = None if errand.leaves_after is None else self._sent_at + errand.leaves_after
        call = CALLS[errand.sent][1]
        is_alone = errand.second_reader_after is None
        due = free = self._accepted_at
        offset = 0
        while True:
            if leaves_at is not None and due >= leaves_at:
                pause_until(leaves_at)
                return Outcome.ABANDONED
            if due >= ends_at:
                pause_until(ends_at)
                return Outcome.TIMED_OUT
            pause_until(due)
            request = requests.at(offset)
            try:
                answer = caller.call(call, request, self.broken)
            except CallFailed as failure:
                answer = caller.ask_again(failure, call, request, self.broken, ends_at)
            body = generator.judge.poll(answer.body)
            self._count(answer, body, due, free)
            if body.findings:
                self.caller.book_findings(self.broken, body.findings, request, answer)
                if not body.readable:
                    raise UnusableBodyError(body.findings)
            is_running = body.status == RUNNING
            if body.events or body.next_offset != offset or not (is_running and is_alone):
                self._judge(offset, answer, body, "")  # an answer without news claims nothing, to one reader
            if not is_running:
                return Outcome.FAILED if self._is_failure(body.status) else Outcome.FINISHED
            offset = body.next_offset
            free = answer.received_at
            due, missed = pacing.next_after(free)
            for moment in missed:
                generator.metrics.missed_poll(free - moment)

    def _count(self, answer: Answer, body: PollBody, due: float, free: float) -> None:
        metrics, seen = self.generator.metrics, self._seen
        events = len(body.events)
        sent_at, received_at = answer.sent_at, answer.received_at
        running = body.status == RUNNING
        seen.polls += 1
        seen.size += answer.size
        seen.events += events
        seen.status = body.status
        was_free = free <= due
        metrics.slip(sent_at - (due if was_free else free), 0.0 if was_free else free - due)
        if self.errand.sent is Sent.FOLLOW_UP:
            metrics.extra_poll(answer.size)
        else:
            empty = running and not events
            metrics.poll(received_at - sent_at, received_at - due, seen.events, empty, events, answer.size)
        if events:
            if seen.first_at is None:
                seen.first_at = received_at
                self.generator.task_moved(self.step)
            else:
                seen.stall = max(seen.stall, received_at - seen.last_at)
            seen.last_at = received_at
        elif running:
            seen.empty += 1
            if seen.first_at is None:
                seen.first_lower = sent_at

    def _judge(self, offset: int, answer: Answer, body: PollBody, reader: str) -> None:
        poll = Poll(offset, answer.sent_at, answer.received_at, body.status, body.events, body.next_offset, reader)
        for violation in self._history.observe(poll):
            self._book(violation)
        if body.events and may_hold_mark(answer.body):
            self._look_for_strangers(body.events, poll)
        self._last = poll

    def _look_for_strangers(self, events: Sequence[object], poll: Poll) -> None:
        text = "".join(filter(None, map(chunk_text, events)))
        own = self.errand.mark
        stranger = self.generator.markers.stranger(text, own)
        if stranger is None:
            return
        said = f"an event repeats {stranger.text!r}, the mark of a message that was sent"
        if stranger.conversation != own.conversation:
            requirement, sentence = "ISO-1", f"{said} in another conversation"
        else:
            requirement, sentence = "QUEUE-1", f"{said} later in the same conversation"
        self.caller.book(self.broken, requirement, sentence, (self._poll_evidence(poll),))

    def _compare_with_others(self, failure: CallFailed | None) -> None:
        """Book what befalls this message only because another of its conversation ran."""
        generator, errand, last = self.generator, self.errand, self._last
        if not generator.scenario.follow_up_share:
            return
        symptom = None
        if failure is not None and self._submitted is None:
            broke = failure.status >= 500 and failure.refusal is None
            symptom = Symptom(f"was answered {failure.status}") if broke else None
            proof = failure.evidence
        elif last is not None and self.outcome in _ENDED and failure is None:
            symptom = self._lack()
            proof = self._poll_evidence(last)
        else:
            return  # left, too slow, or broken in a way that tells nothing of the message
        if generator.contrast.note(symptom, overlaps=errand.overlaps) and symptom is not None:
            sentence = f"a message {symptom.told}; so did {generator.contrast.told(symptom)}"
            self.caller.book(self.broken, "QUEUE-1", sentence, (proof,) if proof else ())

    def _lack(self) -> Symptom | None:
        """What an answer lacks that nearly all answers have; None if it lacks nothing."""
        if not self._history.log:
            return _SILENT
        text = "".join(filter(None, map(chunk_text, self._history.log)))
        return None if self.errand.mark.is_in(text) else _DEAF

    def _reread(self, requests: PollRequest) -> None:
        """Read the whole log once more: what came in pieces must stand there still."""
        request = requests.at(0)
        try:
            answer = self.caller.ask(REREAD, request, self.broken, _now() + _REREADING_S)
        except CallFailed:
            return  # counted as an error; the task itself had ended well
        body = self.generator.judge.poll(answer.body)
        self.caller.book_findings(self.broken, body.findings, request, answer)
        self.generator.metrics.extra_poll(answer.size)
        if body.readable:
            self._judge(0, answer, body, "again")

    def _is_failure(self, status: str) -> bool:
        failed = self.generator.scenario.is_failure(status)
        if failed:
            self.error = self.generator.redactor.text(f"the task ended as {status[:40]}")
        return failed

    def _book(self, violation: Violation) -> None:
        first, second = violation.polls
        proof = (first,) if first is second else (first, second)
        evidence = [self._poll_evidence(poll) for poll in proof]
        self.caller.book(self.broken, violation.requirement, violation.sentence, evidence)

    def _poll_evidence(self, poll: Poll) -> Exchange:
        """A poll as the oracle knows it, written as the answer that it was."""
        data = {"status": poll.status, "next_offset": poll.next_offset, "events": list(poll.events)}
        since_start = self.generator.since_start
        return Exchange(
            f"GET /api/v1/tasks/...?from={poll.asked}",
            since_start(poll.sent_at),
            since_start(poll.received_at),
            200,
            self.caller.shown(json.dumps({"data": data}, ensure_ascii=False)),
        )

    def _record(self) -> TaskRecord:
        seen, errand, since_start = self._seen, self.errand, self.generator.since_start
        first = seen.first_at
        lower = (seen.first_lower or self._sent_at) if first is not None else None
        refusals = self.caller.refusals - self._refusals_before
        return TaskRecord(
            step=self.step,
            user=self.caller.user,
            scheduled_at=since_start(errand.scheduled_at),
            sent_at=since_start(self._sent_at),
            ended_at=since_start(self._ended_at),
            submit_s=self._submitted,
            ttfe_s=None if first is None else first - errand.scheduled_at,
            ttfe_lower_s=None if lower is None else max(0.0, lower - errand.scheduled_at),
            stall_s=None if first is None else seen.stall,
            polls=seen.polls,
            empty_polls=seen.empty,
            events=seen.events,
            bytes=seen.size,
            status=seen.status,
            outcome=self.outcome,
            leaver=errand.leaves_after is not None or self._is_cut,
            follow_up=errand.sent is Sent.FOLLOW_UP or self._is_refused,
            refusals=refusals,
            refused_with=self.caller.refused_with if refusals else 0,
            violations=tuple(dict.fromkeys(self.broken)),
            error=self.error,
        )
