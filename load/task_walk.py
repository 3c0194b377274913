"""One task of one user: send the message, poll to the end, perhaps leave early, perhaps read the answer again.

Polls leave 0.5 s (or what the scenario says) after the last answer, as the published clients do, or on a fixed grid.
Every answer goes through the oracle; what it contradicts, and what the schemas say, ends up in the task's record.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from gevent import GreenletExit

from sendpoll.conformance.oracle import RUNNING, Poll, TaskHistory, Violation, chunk_text
from sendpoll.load.caller import MESSAGE, POLL, REREAD, Caller, CallFailed
from sendpoll.load.generator import Generator
from sendpoll.load.http_client import Answer
from sendpoll.load.http_request import PollRequest
from sendpoll.load.pacing import pacing_of
from sendpoll.load.pause import pause_until
from sendpoll.load.records import Exchange, Outcome, TaskRecord
from sendpoll.load.validation import TASK, Finding, PollBody, Refused

_now = time.perf_counter


@dataclass(frozen=True, slots=True)
class Errand:
    """What a user is about to ask, all of it drawn before the send."""

    text: str
    conversation: str
    owner: int
    """Number of the conversation: whose marks its answers may hold."""
    scheduled_at: float
    """The intended start, by `time.perf_counter`."""
    leaves_after: float | None
    """Seconds after the send; None: the user stays to the end."""
    reread: bool


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
    broken: list[Finding] = field(default_factory=list)
    error: str = ""
    _sent_at: float = 0.0
    _accepted_at: float = 0.0
    _submitted: float | None = None
    _ended_at: float = 0.0
    _seen: _Seen = field(default_factory=_Seen)
    _history: TaskHistory = field(default_factory=TaskHistory)

    @property
    def failed(self) -> bool:
        """Whether the server refused or broke the task."""
        return bool(self.error)

    def walk(self) -> Outcome:
        """Do the whole errand; the record is booked whatever happens."""
        outcome = Outcome.ABANDONED
        self._sent_at = _now()
        try:
            outcome = self._errand()
        except CallFailed as failure:
            outcome, self.error = Outcome.FAILED, str(failure)
        except Refused as refused:
            outcome, self.error = Outcome.FAILED, self.generator.redactor.text(str(refused))
        except GreenletExit:
            self.error = "the run ended"
            raise
        finally:
            self.generator.task_ended(self._record(outcome))
        return outcome

    def _errand(self) -> Outcome:
        requests = self._send()
        outcome = self._poll_to_end(requests)
        self._ended_at = _now()
        if outcome in {Outcome.FINISHED, Outcome.FAILED}:
            for violation in self._history.conclude():
                self._book(violation)
            if self.errand.reread:
                self._reread(requests)
        return outcome

    def _send(self) -> PollRequest:
        generator, errand = self.generator, self.errand
        request = generator.requests.send_message(generator.workspace, errand.conversation, errand.text)
        answer = self.caller.call(MESSAGE, request, self.broken)
        try:
            task, findings = generator.judge.identifier(answer.body, TASK, "task_id")
        except Refused as refused:
            self.caller.book_findings(self.broken, refused.findings, request, answer)
            raise
        self.caller.book_findings(self.broken, findings, request, answer)
        self._submitted = answer.received_at - answer.sent_at
        self._accepted_at = answer.received_at
        generator.metrics.submit(self._submitted)
        return generator.requests.poll(task)

    def _poll_to_end(self, requests: PollRequest) -> Outcome:
        generator, errand = self.generator, self.errand
        pacing = pacing_of(generator.scenario, self._sent_at)
        ends_at = errand.scheduled_at + generator.scenario.task_deadline_s
        leaves_at = None if errand.leaves_after is None else self._sent_at + errand.leaves_after
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
            answer = self.caller.call(POLL, request, self.broken)
            body = generator.judge.poll(answer.body)
            self._count(answer, body, due, free)
            if body.findings:
                self.caller.book_findings(self.broken, body.findings, request, answer)
                if not body.readable:
                    raise Refused(body.findings)
            if body.events or body.next_offset != offset or body.status != RUNNING:
                self._judge(offset, answer, body)  # an answer without any news claims nothing
            if body.status != RUNNING:
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
        metrics.poll(received_at - sent_at, received_at - due, seen.events, running and not events, events, answer.size)
        metrics.slip(sent_at - max(due, free), max(0.0, free - due))
        if events:
            if seen.first_at is None:
                seen.first_at = received_at
            else:
                seen.stall = max(seen.stall, received_at - seen.last_at)
            seen.last_at = received_at
        elif running:
            seen.empty += 1
            if seen.first_at is None:
                seen.first_lower = sent_at

    def _judge(self, offset: int, answer: Answer, body: PollBody, reader: str = "") -> None:
        poll = Poll(offset, answer.sent_at, answer.received_at, body.status, body.events, body.next_offset, reader)
        for violation in self._history.observe(poll):
            self._book(violation)
        if body.events:
            self._look_for_strangers(body.events, poll)

    def _look_for_strangers(self, events: Sequence[object], poll: Poll) -> None:
        text = "".join(filter(None, map(chunk_text, events)))
        piece = self.generator.markers.foreign(text, self.errand.owner)
        if piece is not None:
            sentence = f"an event holds {piece!r}, which was sent with a message of another conversation"
            self.caller.book(self.broken, "ISO-1", sentence, (self._poll_evidence(poll),))

    def _reread(self, requests: PollRequest) -> None:
        """Read the whole log once more: what came in pieces must stand there still."""
        request = requests.at(0)
        try:
            answer = self.caller.call(REREAD, request, self.broken)
        except CallFailed:
            return  # counted as an error; the task itself had ended well
        body = self.generator.judge.poll(answer.body)
        self.caller.book_findings(self.broken, body.findings, request, answer)
        if body.readable:
            self._judge(0, answer, body, reader="again")

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

    def _record(self, outcome: Outcome) -> TaskRecord:
        seen, errand, since_start = self._seen, self.errand, self.generator.since_start
        first = seen.first_at
        lower = (seen.first_lower or self._sent_at) if first is not None else None
        return TaskRecord(
            step=self.step,
            user=self.caller.user,
            scheduled_at=since_start(errand.scheduled_at),
            sent_at=since_start(self._sent_at),
            ended_at=since_start(self._ended_at or _now()),
            submit_s=self._submitted,
            ttfe_s=None if first is None else first - errand.scheduled_at,
            ttfe_lower_s=None if lower is None else max(0.0, lower - errand.scheduled_at),
            stall_s=None if first is None else seen.stall,
            polls=seen.polls,
            empty_polls=seen.empty,
            events=seen.events,
            bytes=seen.size,
            status=seen.status,
            outcome=outcome,
            leaver=errand.leaves_after is not None,
            violations=tuple(dict.fromkeys(self.broken)),
            error=self.error,
        )
