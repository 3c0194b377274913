"""Restarts the server in the middle of a load run, and sees when it answers again."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Final

import gevent

from sendpoll.core.dialing.dial import Dialer
from sendpoll.core.dialing.waiting import answers_now
from sendpoll.core.restart_command import RestartCommand
from sendpoll.core.target.target import Target
from sendpoll.load.engine import View
from sendpoll.load.measure.restart_tally import RestartTally

_LOOK_S: Final = 0.05
_ANSWER_S: Final = 2.0
_SETTLING_S: Final = 3.0
"""Seconds for which a server must answer whose command goes on: it may be the server itself."""


@dataclass(frozen=True, slots=True)
class RestartOrder:
    """When and how the server is restarted."""

    command: str
    at_s: float
    wait_s: float
    """From the command's start to the first answer, at most."""


class Restarting:
    """Carries an order out once its time has come; nothing where there is none."""

    def __init__(self, order: RestartOrder | None, target: Target) -> None:
        self._order = order
        self._target = target
        self._watcher: gevent.Greenlet[..., None] | None = None
        self.tally: RestartTally | None = None
        self.problem = ""
        """Why nothing follows from it; empty where something does."""

    def note(self, view: View) -> None:
        """Called each second with what the run has come to."""
        order = self._order
        if order is not None and self.tally is None and view.elapsed >= order.at_s:
            self.tally = RestartTally(order.command, view.elapsed)
            self._watcher = gevent.spawn(self._watch, order, self.tally)
        if self.tally is not None:
            self.tally.note(view.records)

    def finish(self) -> None:
        """The run is over: what is not known now will not be."""
        if self._watcher is not None and not self._watcher.dead:
            self._watcher.kill()
        if self._order is not None and self.tally is None:
            self.problem = "the run ended before the server was to be restarted (--at)"
        elif self.tally is not None and self.tally.answered_after_s is None and not self.problem:
            self.problem = "nothing showed that the server had restarted and was back (--restart, --restart-wait)"

    def _watch(self, order: RestartOrder, tally: RestartTally) -> None:
        began = time.monotonic()
        dialer = Dialer(self._target)
        is_away, steady = False, 0.0
        with contextlib.closing(RestartCommand(order.command)) as command:
            while time.monotonic() < began + order.wait_s:
                if command.failure:
                    self.problem = command.failure
                    return
                answers = answers_now(self._target, dialer, _ANSWER_S)
                now = time.monotonic()
                is_away = is_away or not answers
                steady = (steady or now) if is_away and answers else 0.0
                if steady and (not command.is_running or now - steady >= _SETTLING_S):
                    tally.answered_after_s = steady - began
                    return
                gevent.sleep(_LOOK_S)
