"""What a user does beside the task that it polls: read it on a second device, write again before the answer is there.

Each has a connection of its own, as another browser tab or another telephone has. The task's user waits for both before
it goes on, so a task is booked when all is said about it.
"""

from __future__ import annotations

from collections.abc import Callable

import gevent
from gevent import Greenlet

from sendpoll.load.http.client import Answer
from sendpoll.load.http.request import PollRequest
from sendpoll.load.users.caller import SECOND_READER, Caller, CallFailed
from sendpoll.load.users.generator import Generator
from sendpoll.load.users.pause import pause_until
from sendpoll.load.users.validation import Breach, PollBody

Judge = Callable[[int, Answer, PollBody, str], None]
"""Takes a poll to the history of its task: the offset it asked with, what came, and who read."""


class ConcurrentActivity:
    """The further connections of one user, and what goes on over them at present."""

    def __init__(self, connect: Callable[[], Caller], on_crash: Callable[[Exception], None]) -> None:
        """`on_crash` is told of an activity's own exceptions: they are not the task's."""
        self._connect = connect
        self._on_crash = on_crash
        self._callers: dict[str, Caller] = {}
        self._under_way: list[Greenlet[..., None]] = []

    def begin(self, device: str, activity: Callable[[Caller], None]) -> Greenlet[..., None]:
        """Do something over the connection of that device, opened when it is first used."""
        caller = self._callers.get(device)
        if caller is None:
            caller = self._callers[device] = self._connect()
        greenlet = gevent.spawn(self._go_on, activity, caller)
        self._under_way.append(greenlet)
        return greenlet

    def _go_on(self, activity: Callable[[Caller], None], caller: Caller) -> None:
        try:
            activity(caller)
        except Exception as error:  # noqa: BLE001 - whatever it is, gevent would print it and forget it
            self._on_crash(error)

    def await_all(self) -> None:
        """Wait until all of it has ended. Whoever is killed while waiting takes it along."""
        try:
            for greenlet in self._under_way:
                greenlet.get()
        finally:
            self.stop()

    def stop(self) -> None:
        """End what is still under way; tasks among it book themselves as abandoned."""
        if self._under_way:
            gevent.killall(self._under_way)
            self._under_way.clear()

    def close(self) -> None:
        """Close the connections."""
        for caller in self._callers.values():
            caller.close()


class SecondReader:
    """Polls a task from its beginning, as a second device does that was opened beside the first.

    Its polls are counted apart: they tell whether readers get the same log, and nothing of how long a user waits.
    """

    def __init__(self, generator: Generator, requests: PollRequest, judge: Judge, broken: list[Breach]) -> None:
        self._generator = generator
        self._requests = requests
        self._judge = judge
        self._broken = broken

    def read(self, caller: Caller, starts_at: float, ends_at: float) -> None:
        """Poll to the final status, to a failure, or to the deadline."""
        generator = self._generator
        offset, due = 0, starts_at
        while due < ends_at:
            pause_until(due)
            request = self._requests.at(offset)
            try:
                answer = caller.call(SECOND_READER, request, self._broken)
            except CallFailed:
                return  # counted as an error; the task itself may end well
            body = generator.judge.poll(answer.body)
            generator.metrics.extra_poll(answer.size)
            caller.book_findings(self._broken, body.findings, request, answer)
            if not body.readable:
                return
            self._judge(offset, answer, body, "second reader")
            if body.is_final:
                return
            offset = body.next_offset
            due = answer.received_at + generator.scenario.poll_interval_s
