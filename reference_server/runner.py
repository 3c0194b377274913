"""The task runner: which task may run now, and what becomes of it.

Tasks of the same lane, such as those of a conversation, run one after the other, and at most `slots` tasks run at once;
whoever waits, waits in the order of arrival. A slot is free again when the agent has ended, so a slot's service time is
the agent's alone; the next task of the same lane waits until the log of the last one is durable, since it may read it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import deque
from dataclasses import dataclass

from sendpoll.reference_server.agents.base import Agent, AgentError, Prompt, Turn
from sendpoll.reference_server.database import LOST
from sendpoll.reference_server.errors import StorageError
from sendpoll.reference_server.events import Event, error
from sendpoll.reference_server.history import turns_before
from sendpoll.reference_server.journal import Journal
from sendpoll.reference_server.lanes import Lane
from sendpoll.reference_server.reader import Reader
from sendpoll.reference_server.retention import Retention
from sendpoll.reference_server.states import Step
from sendpoll.reference_server.tasks import Tasks, TaskView
from sendpoll.reference_server.writer import Writer

_STOP_SECONDS = 5.0
"""How long a stopping server waits for a database that refuses to store."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """One task to run."""

    task_id: str
    lane: Lane
    view: TaskView


class Runner:
    """Runs jobs through an agent."""

    def __init__(
        self,
        agent: Agent,
        tasks: Tasks,
        reader: Reader,
        writer: Writer,
        slots: int,
        retention: Retention | None = None,
    ) -> None:
        self._retention = retention
        self._agent = agent
        self._tasks = tasks
        self._reader = reader
        self._writer = writer
        self.slots = slots
        self._free = slots
        self._ready: deque[Job] = deque()
        self._waiting: dict[Lane, deque[Job]] = {}
        """By lane that has a job ready or running: the jobs behind that one."""
        self._running: set[asyncio.Task[None]] = set()
        self._working: set[asyncio.Task[None]] = set()
        """Those of the running whose agent has not ended: what may be cancelled."""
        self._stopping = False

    @property
    def running(self) -> int:
        """How many slots are taken."""
        return self.slots - self._free

    def enqueue(self, job: Job) -> None:
        """Take a job; it starts when its lane and a slot are free."""
        self._tasks.admit(job.task_id, job.view)
        behind = self._waiting.get(job.lane)
        if behind is not None:
            behind.append(job)
            return
        self._waiting[job.lane] = deque()
        self._ready.append(job)
        self._start_ready()

    async def stop(self) -> None:
        """Cancel what runs, and end as failed every task that is not finished."""
        self._stopping = True
        waiting = [*self._ready, *(job for behind in self._waiting.values() for job in behind)]
        for task in self._working:
            task.cancel()
        ends = [self._end(job, self._journal(job), Step.ABANDON, LOST) for job in waiting]
        unfinished = asyncio.gather(*self._running, *ends, return_exceptions=True)
        try:
            await asyncio.wait_for(unfinished, _STOP_SECONDS)
        except TimeoutError:
            # Nothing is lost: the next start ends what is stored as running.
            _log.warning("the database did not take the end of the running tasks in time")

    def _start_ready(self) -> None:
        while self._ready and self._free and not self._stopping:
            job = self._ready.popleft()
            self._free -= 1
            task = asyncio.create_task(self._run(job))
            for group in (self._running, self._working):
                group.add(task)
                task.add_done_callback(group.discard)

    async def _run(self, job: Job) -> None:
        journal = self._journal(job)
        journal.start()
        step, last = await self._work(job, journal)
        self._free += 1
        self._start_ready()
        await self._end(job, journal, step, *last)
        self._release(job.lane)

    async def _work(self, job: Job, journal: Journal) -> tuple[Step, list[Event]]:
        try:
            prompt = await self._prompt(job)
            async with contextlib.aclosing(self._agent.answer(prompt)) as events:
                async for event in events:
                    await journal.append(event)
        except AgentError as problem:
            return Step.FAIL, [error(problem.code, problem.message)]
        except StorageError as problem:
            _log.error("%s", problem)
            return Step.FAIL, [error("storage_failed", "The server's database fails.")]
        except asyncio.CancelledError:
            return Step.ABANDON, [LOST]
        except Exception:  # noqa: BLE001 - a task that never ends would hold its client for ever
            _log.exception("the agent broke on task %s", job.task_id)
            return Step.FAIL, [error("agent_broke", "The agent broke; the server's log says how.")]
        return Step.COMPLETE, []

    async def _end(self, job: Job, journal: Journal, step: Step, *last: Event) -> None:
        await journal.finish(step, *last)
        self._tasks.retire(job.task_id)
        if self._retention is not None:
            self._retention.ended(job.view)

    def _journal(self, job: Job) -> Journal:
        return Journal(job.view, self._writer, self._retention.trail() if self._retention else None)

    def _release(self, lane: Lane) -> None:
        behind = self._waiting[lane]
        if behind:
            self._ready.append(behind.popleft())
            self._start_ready()
        else:
            del self._waiting[lane]

    async def _prompt(self, job: Job) -> Prompt:
        request = json.loads(self._reader.request(job.view.number))
        history: tuple[Turn, ...] = ()
        if self._agent.wants_history:
            history = await asyncio.to_thread(turns_before, self._reader, job.view.number)
        return Prompt(**request, history=history)
