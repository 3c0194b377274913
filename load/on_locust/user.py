"""The Locust user: one person who ensures a workspace, opens conversations, sends messages and polls their tasks."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final
from weakref import WeakKeyDictionary

import gevent
from locust import TaskSet, User, task
from locust.env import Environment
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_WAITING

from sendpoll.load.measure.records import Outcome, TaskRecord
from sendpoll.load.on_locust.locust_stats import LocustStatistics
from sendpoll.load.users.caller import CONVERSATION, WORKSPACE, Caller, CallFailed
from sendpoll.load.users.concurrent_activity import ConcurrentActivity
from sendpoll.load.users.errand import Errand, Sent
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.pause import pause_until
from sendpoll.load.users.task_walk import TaskWalk
from sendpoll.load.users.validation import CONVERSATION as CONVERSATION_SCHEMA
from sendpoll.load.users.validation import WORKSPACE as WORKSPACE_SCHEMA
from sendpoll.load.users.validation import Breach, UnusableBodyError, read_strictly

_READY_S: Final = 0.1
_FOR_GOOD_S: Final = 86400.0
"""A user that may send nothing more waits until it is stopped."""
_generators: WeakKeyDictionary[Environment, tuple[Generator, LocustStatistics]] = WeakKeyDictionary()


def attach(environment: Environment, generator: Generator) -> None:
    """Let the users of this environment generate load as `generator` says."""
    if environment not in _generators:
        environment.events.user_error.add_listener(_on_user_error)
    statistics = LocustStatistics(environment)
    generator.on_task = statistics.log_task
    _generators[environment] = generator, statistics


def _on_user_error(user_instance: User | TaskSet, exception: Exception, **_: object) -> None:
    """What a user of ours raises is no answer of the server's, even where Locust goes on after it."""
    user = user_instance.user if isinstance(user_instance, TaskSet) else user_instance
    attached = _generators.get(user.environment)
    if attached is not None and isinstance(user, TaskUser):
        attached[0].crashed(exception)


class TaskUser(User):
    """One person. What it does comes from the scenario of the generator that its environment is attached to."""

    abstract = True

    def on_start(self) -> None:
        """Take a number, a connection and random numbers; then wait a while, so that users do not poll in step."""
        while self.environment not in _generators:
            gevent.sleep(_READY_S)  # a worker that came late was given users before it had the workload
        self.generator, self._statistics = _generators[self.environment]
        number = self.generator.next_user()
        self._random = self.generator.random("user", number)
        self._caller = Caller(self.generator, number, self._statistics.log)
        self._beside = ConcurrentActivity(
            lambda: Caller(self.generator, number, self._statistics.log), self.generator.crashed
        )
        self._has_workspace = False
        self._conversation = ""
        self._owner = 0
        self._messages_left = 0
        self._sent = Sent.ALONE
        self._due = time.perf_counter() + self._random.uniform(0, self.generator.scenario.start_spread_s)
        self._state = LOCUST_STATE_WAITING
        pause_until(self._due)
        self._state = LOCUST_STATE_RUNNING

    def on_stop(self) -> None:
        """Close the connection, and leave nothing uncounted."""
        self._caller.close()
        self._beside.close()
        self._statistics.flush()

    def wait_time(self) -> float:
        """Seconds until the next message is due."""
        return max(0.0, self._due - time.perf_counter())

    @task
    def send_and_poll(self) -> None:
        """One message and its task, after opening a conversation where there is none."""
        try:
            self._send_and_poll()
        except Exception:
            self._conversation = ""
            self._think(failed=True)  # Locust asks for the next message after the pause, which is none by now
            raise

    def _send_and_poll(self) -> None:
        generator = self.generator
        broken: list[Breach] = []
        if not self._conversation:
            try:
                self._open_conversation(broken)
            except (CallFailed, UnusableBodyError) as failure:
                self._book_unsent(failure, broken)
                return
            self._due = max(self._due, time.perf_counter())
        if generator.is_open:
            self._await_arrival()
        if not generator.may_send():
            self._due = time.perf_counter() + _FOR_GOOD_S
            return
        errand = self._errand()
        walk = TaskWalk(generator, self._caller, errand, generator.task_started(), self._beside, broken)
        outcome = walk.walk()
        self._messages_left -= 1 if errand.follow_up is None else 2
        left = outcome is Outcome.ABANDONED  # who left may write again while the old answer still runs
        self._sent = Sent.AFTER_LEAVING if left else Sent.ALONE
        if self._messages_left <= 0 or not (left or outcome is Outcome.FINISHED):
            self._conversation = ""
        self._think(walk.failed)

    def _think(self, failed: bool) -> None:
        """Plan the next message. Who was refused does not knock again at once, however little it thinks."""
        scenario = self.generator.scenario
        pause = 0.0 if self.generator.is_open else scenario.think_time.draw(self._random)
        self._due = time.perf_counter() + (max(pause, scenario.poll_interval_s) if failed else pause)

    def _await_arrival(self) -> None:
        """Wait for a message to arrive, in a way that lets the user be stopped meanwhile."""
        self._state = LOCUST_STATE_WAITING
        self._due = self.generator.arrivals.take()
        self._state = LOCUST_STATE_RUNNING

    def _errand(self) -> Errand:
        scenario, draw = self.generator.scenario, self._random.random
        leaves_after = second_reader_after = None
        if scenario.abandon is not None and draw() < scenario.abandon.share:
            leaves_after = scenario.abandon.after.draw(self._random)
        if draw() < scenario.second_reader_share:
            second_reader_after = self._random.choice((0.0, draw() * scenario.poll_interval_s))
        errand = self._message(self._due, self._sent)
        follow_up = None
        if (
            draw() < scenario.follow_up_share
            and leaves_after is None
            and not self.generator.is_open
            and self.generator.may_send()
        ):
            follow_up = self._message(draw() * scenario.poll_interval_s / 2, Sent.FOLLOW_UP)
        return replace(
            errand,
            leaves_after=leaves_after,
            reread=draw() < scenario.reread_share,
            second_reader_after=second_reader_after,
            follow_up=follow_up,
        )

    def _message(self, scheduled_at: float, sent: Sent) -> Errand:
        mark = self.generator.markers.issue(self._owner)
        text = f"{self.generator.scenario.draw_message(self._random)} [{mark.text}]"
        if self.generator.scenario.unique_prefix:
            text = f"[{mark.text}] {text}"
        return Errand(text=text, conversation=self._conversation, mark=mark, scheduled_at=scheduled_at, sent=sent)

    def _open_conversation(self, broken: list[Breach]) -> None:
        """Ensure the workspace, the first time, and open a conversation in it. Raises CallFailed, UnusableBodyError."""
        generator, caller = self.generator, self._caller
        until = self._due + generator.scenario.task_deadline_s
        if not self._has_workspace:
            request = caller.request_builder.ensure_workspace(caller.workspace)
            answer = caller.ask(WORKSPACE, request, broken, until)
            try:
                read_strictly(answer.body, WORKSPACE_SCHEMA)
            except UnusableBodyError as refused:
                self._caller.book_findings(broken, refused.findings, request, answer)
                raise
            self._has_workspace = True
        request = caller.request_builder.open_conversation(caller.workspace)
        answer = caller.ask(CONVERSATION, request, broken, until)
        try:
            self._sent = Sent.ALONE
            self._conversation, findings = generator.judge.identifier(
                answer.body, CONVERSATION_SCHEMA, "conversation_id"
            )
        except UnusableBodyError as refused:
            self._caller.book_findings(broken, refused.findings, request, answer)
            raise
        self._caller.book_findings(broken, findings, request, answer)
        self._owner = generator.next_conversation()
        self._messages_left = generator.scenario.messages_per_conversation

    def _book_unsent(self, failure: CallFailed | UnusableBodyError, broken: list[Breach]) -> None:
        """A message that could not be sent, because there is no conversation for it, is a task that failed."""
        generator = self.generator
        refusal = failure.refusal if isinstance(failure, CallFailed) else None
        if not generator.is_open:  # an open arrival has not come yet: it will find this user busy, and is counted then
            due = generator.since_start(self._due)
            generator.task_ended(
                TaskRecord(
                    step=generator.task_started(),
                    user=self._caller.user,
                    scheduled_at=due,
                    sent_at=due,
                    ended_at=generator.since_start(time.perf_counter()),
                    outcome=Outcome.REFUSED if refusal else Outcome.FAILED,
                    refusals=1 if refusal else 0,
                    refused_with=refusal.status if refusal else 0,
                    violations=tuple(broken),
                    error=generator.redactor.text(str(failure)),
                )
            )
        self._think(failed=True)


class Person(TaskUser):
    """The user that `sendpoll load` runs."""
