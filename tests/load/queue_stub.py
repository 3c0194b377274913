"""The stub with slots and a queue: a server whose capacity is known from theory, to try planners on.

`python -m tests.load.queue_stub --slots 8 --service exponential --mean 1.5` takes tasks first come, first served.
When a task arrives, its start and end follow from when the slots fall free, so its id can carry both and nothing else
needs to be kept.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sendpoll.core.interruption import end_with_parent
from sendpoll.load.stub.stub import Script, run_stub

_SERVICE_DIGITS: Final = 10**10
"""In a task's number, microseconds of service stand behind those of its start: up to 10,000 s."""

Draw = Callable[[random.Random, float], float]


def _lognormal(rng: random.Random, mean: float) -> float:
    """As variable as an exponential time: its standard deviation is its mean."""
    spread = math.sqrt(math.log(2))
    return rng.lognormvariate(math.log(mean) - spread**2 / 2, spread)


def _pareto(rng: random.Random, mean: float) -> float:
    """Heavy-tailed: the variance is finite, just."""
    shape = 2.2
    return mean * (shape - 1) / shape * rng.paretovariate(shape)


SERVICES: Final[Mapping[str, Draw]] = {
    "fixed": lambda _, mean: mean,
    "exponential": lambda rng, mean: rng.expovariate(1 / mean),
    "lognormal": _lognormal,
    "pareto": _pareto,
}
"""How service times are distributed around their mean."""


@dataclass(slots=True)
class QueueScript(Script):
    """Tasks that wait for one of a few slots."""

    slots: int = 8
    service: str = "fixed"
    mean: float = 1.0
    """Seconds that a task holds a slot."""
    seed: int = 0
    _free: list[float] = field(default_factory=list)
    """When each slot falls free: a heap."""
    _random: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        self._free = [0.0] * self.slots
        self._random = random.Random(self.seed)

    def open_task(self) -> str:
        """The id of a task that arrives now: when it will begin, and for how long."""
        begins = max(time.monotonic(), self._free[0])
        takes = SERVICES[self.service](self._random, self.mean)
        heapq.heapreplace(self._free, begins + takes)
        return f"t{round(begins * 1e6) * _SERVICE_DIGITS + round(takes * 1e6)}-{next(self._numbers)}"

    def poll(self, began_us: int, offset: int) -> tuple[int, bytes]:
        """Status code and body of a poll; events come evenly over the service, the last at its end."""
        begins_us, takes_us = divmod(began_us, _SERVICE_DIGITS)
        age = time.monotonic() - begins_us / 1e6
        takes = max(takes_us / 1e6, 1e-6)
        ready = min(self.chunks, max(0, math.floor(age / takes * self.chunks)))
        if offset > ready:
            return 400, b'{"error":{"code":"offset_out_of_range","message":"There is no such offset yet."}}'
        status = "completed" if ready >= self.chunks else "running"
        events = [
            {"type": "text_chunk", "data": {"content": f"{number} {self.words}"}} for number in range(offset, ready)
        ]
        return 200, json.dumps({"data": {"status": status, "next_offset": ready, "events": events}}).encode()


def main() -> None:
    """Run a stub with slots from the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--slots", type=int, default=8)
    parser.add_argument("--service", choices=SERVICES, default="fixed")
    parser.add_argument("--mean", type=float, default=1.0)
    parser.add_argument("--chunks", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--with-parent", action="store_true")
    options = parser.parse_args()
    if options.with_parent:
        end_with_parent(0)
    script = QueueScript(
        chunks=options.chunks, slots=options.slots, service=options.service, mean=options.mean, seed=options.seed
    )
    run_stub(script, options.host, options.port)


if __name__ == "__main__":
    main()
