"""Restarts the target, and watches a running task until the server went away and is back."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

from sendpoll.conformance.http.exchange import Exchange
from sendpoll.conformance.server.probing.api import Api
from sendpoll.conformance.server.probing.refusals import told_wait
from sendpoll.conformance.server.probing.task_readers import RecordedTask
from sendpoll.conformance.server.transport.connection import Connection, NoConnectionError
from sendpoll.core.restart_command import RestartCommand

RESTART_MESSAGES = 4
"""Messages, at most, that are sent for a restart: two that run while it comes, and two behind it."""
RESTART_WAIT = 30.0
"""Seconds that a restart may take where nothing else is said."""
_LOOK = 0.03
"""Seconds between two polls while the server goes down: what it served last is what it is most likely to deny."""
_SETTLING = 3.0
"""Seconds for which a server must answer whose command goes on: it may be the server itself."""
NOT_YET = frozenset({429, 502, 503, 504})
"""What a server, or what stands before it, says that is on its way."""


@dataclass(frozen=True, slots=True)
class RestartOrder:
    """How the target is restarted."""

    command: str
    wait: float = RESTART_WAIT
    """Seconds from its start to the first answer, at most."""


@dataclass(frozen=True, slots=True)
class Downtime:
    """What was seen of a restart; moments of the monotonic clock."""

    began: float
    """When the command was started."""
    away: float | None = None
    """When the first sign was seen that the server had gone; None where none was."""
    back: float | None = None
    """When it answered again; None where it did not within its time."""
    failure: str = ""
    """How the command itself failed, if it did."""

    @property
    def trouble(self) -> str:
        """Why nothing follows from it; empty where something does."""
        if self.failure:
            return self.failure
        if self.away is None:
            return (
                "nothing showed that the target had restarted: no request failed, and no connection was closed, from "
                "the start of the restart command on (--restart, --restart-wait)"
            )
        if self.back is None:
            return "the target did not answer again in time after its restart (--restart-wait)"
        return ""


class _Watch:
    """Polls over one connection as long as the server keeps it, for it is closed when the server goes."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._connection: Connection | None = None
        self.is_away = False

    def ask(self, task: str, offset: int) -> Exchange | None:
        """One poll; None where no connection could be had."""
        recorder = self._api.recorder
        try:
            self._connection = self._connection or recorder.connect()
        except NoConnectionError:
            self.is_away = True
            return None
        connection = self._connection
        exchange = recorder.transmit(self._api.poll_request(task, f"from={offset}"), connection)
        promised = exchange.response is not None and exchange.response.keeps_alive
        if exchange.failure is not None or not connection.may_be_used_again():
            self.is_away = self.is_away or promised or exchange.failure is not None
            self.close()
        self.is_away = self.is_away or exchange.status in NOT_YET - {429}
        return exchange

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def restart_target(api: Api, order: RestartOrder, task: RecordedTask) -> Downtime:
    """Run the command, and read a task until the target has gone and answers again.

    What was answered before the first sign of the restart is noted with the task. Raises RunOverError where the run's
    deadline comes first.
    """
    command, began = RestartCommand(order.command), time.monotonic()
    with contextlib.closing(_Watch(api)) as watch, contextlib.closing(command):
        away: float | None = None
        steady: float | None = None
        while (now := time.monotonic()) < began + order.wait and not command.failure:
            offset = task.end_offset
            exchange = watch.ask(task.task_id, offset)
            if watch.is_away:
                away = away or now
            answers = exchange is not None and exchange.failure is None and exchange.status not in NOT_YET
            if away is None and exchange is not None and exchange.ok:
                task.take(api.recorder, exchange, offset, "before the restart")
            steady = (steady or time.monotonic()) if away is not None and answers else None
            if steady is not None and (not command.is_running or time.monotonic() - steady >= _SETTLING):
                return Downtime(began, away, steady, command.failure)
            api.recorder.pause(max(_LOOK, _pause_told(exchange)))
        return Downtime(began, away, failure=command.failure)


def _pause_told(exchange: Exchange | None) -> float:
    """Seconds to leave a server alone that is asked too fast; one that is on its way is looked at all the same."""
    return (told_wait(exchange) or 0.5) if exchange is not None and exchange.status == 429 else 0.0
