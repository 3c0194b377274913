"""Servers of the API that each give in one way: `python -m tests.load.observe.limited_server cpu --port 0`.

cpu: each poll burns a core for some milliseconds. memory: each task leaves memory behind. files: each conversation
keeps files open until the process may open no more, and connections are then turned away. slots: few tasks run at once,
and the page at /metrics says who waits. sound: none of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import resource
import time
from typing import Final

from sendpoll.core.interruption import end_with_parent
from sendpoll.load.stub.stub import Script, StubProtocol, run_stub, serve
from tests.load.queue_stub import QueueScript

BURNT_S: Final = 0.02
LEFT_BEHIND: Final = 400_000
"""Bytes a task."""
MOST_FILES: Final = 80
SLOTS: Final = 3


class Burning(Script):
    """Each poll is work for the CPU."""

    def poll(self, began_us: int, offset: int) -> tuple[int, bytes]:
        until = time.thread_time() + BURNT_S
        while time.thread_time() < until:
            pass
        return super().poll(began_us, offset)


class Leaking(Script):
    """Each task leaves something behind for ever."""

    left: Final[list[bytearray]] = []

    def open_task(self) -> str:
        self.left.append(bytearray(os.urandom(4096)) * (LEFT_BEHIND // 4096))
        return super().open_task()


class Hoarding(Script):
    """Each task keeps a file open for ever, as long as there is one to be had."""

    kept: Final[list[int]] = []

    def open_task(self) -> str:
        with contextlib.suppress(OSError):
            self.kept.append(os.open(os.devnull, os.O_RDONLY))
        return super().open_task()


class Waiting(QueueScript):
    """Tasks wait for a slot; how many do is known from when the slots fall free."""

    def page(self) -> str:
        now = time.monotonic()
        self.open = [(begins, ends) for begins, ends in self.open if ends > now]
        running = sum(begins <= now for begins, _ in self.open)
        waiting = len(self.open) - running
        return (
            f"# TYPE agent_requests_running gauge\nagent_requests_running {running}\n"
            f"# TYPE agent_requests_waiting gauge\nagent_requests_waiting {waiting}\n"
        )

    open: list[tuple[float, float]] = []  # noqa: RUF012 - one script a process

    def open_task(self) -> str:
        task = super().open_task()
        begins_us, takes_us = divmod(int(task[1:].partition("-")[0]), 10**10)
        self.open.append((begins_us / 1e6, (begins_us + takes_us) / 1e6))
        return task


class PageProtocol(StubProtocol):
    """Answers /metrics besides."""

    def reply(self, request: bytes) -> tuple[int, bytes]:
        assert isinstance(self._script, Waiting)
        return (200, self._script.page().encode()) if request.startswith(b"GET /metrics ") else super().reply(request)


def main() -> None:
    """Serve until the parent is gone; the first line of standard output is the base URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=["cpu", "memory", "files", "slots", "sound"])
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    end_with_parent(0)
    if options.kind == "slots":
        script = Waiting(chunks=4, slots=SLOTS, mean=1.0)
        asyncio.run(serve(script, "127.0.0.1", options.port, PageProtocol))
        return
    if options.kind == "files":
        resource.setrlimit(resource.RLIMIT_NOFILE, (MOST_FILES, MOST_FILES))
    script_of = {"cpu": Burning, "memory": Leaking, "files": Hoarding, "sound": Script}
    run_stub(script_of[options.kind](chunks=3, first=0.2, interval=0.2), port=options.port)


if __name__ == "__main__":
    main()
