"""Servers of known capacity: slots, service and think times, an objective, and the number of users that it allows.

The capacity is the number of users at which the share of tasks within the limit goes through 95 %, between two whole
numbers by straight line. It comes from simulations of 250,000 tasks at either whole number; `test_servers.py` holds the
simulation to exact theory where there is one, and the numbers here to shorter simulations.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sendpoll.load.measure.slo import ServiceLevel
from sendpoll.load.plan.answer import TierAnswer, tier_answer
from sendpoll.load.plan.controller import PlanController
from sendpoll.load.plan.model_search import ModelSearch
from sendpoll.load.plan.outcome import Conclusion
from sendpoll.load.plan.queueing.capacity_forecast import forecast
from sendpoll.load.plan.queueing.predict import Users
from sendpoll.load.plan.search import Search
from sendpoll.load.plan.settings import FULL, QUICK, Pace, Settings
from sendpoll.load.plan.steps import Step
from sendpoll.load.plan.tallies import Observations
from tests.load.plan.virtual import (
    Load,
    Server,
    exponential,
    fixed,
    lognormal,
    pareto,
    run_virtually,
    uniform,
)


@dataclass(frozen=True)
class Known:
    """A server, the limit of its objective `task p95 <= limit`, and what it holds within it."""

    server: Server
    limit_s: float
    capacity: float
    """Users, or messages a second."""


KNOWN = {
    "1 slot, fixed": Known(Server(1, fixed(0.7), exponential(1.5)), 2.25, 3.48),
    "2 slots, fixed": Known(Server(2, fixed(1.0), exponential(2.0)), 2.25, 5.62),
    "3 slots, uniform": Known(Server(3, uniform(0.5, 1.5), exponential(2.0)), 2.75, 10.58),
    "1 slot, exponential": Known(Server(1, exponential(0.2), exponential(2.0)), 1.75, 11.10),
    "4 slots, fixed": Known(Server(4, fixed(2.0), exponential(3.0)), 4.25, 11.41),
    "4 slots, exponential": Known(Server(4, exponential(0.6), exponential(2.0)), 2.75, 20.37),
    "10 slots, fixed": Known(Server(10, fixed(3.0), uniform(2, 6)), 5.25, 28.19),
    "8 slots, lognormal": Known(Server(8, lognormal(1.0, 1.0), exponential(2.0)), 4.25, 33.95),
    "20 slots, fixed": Known(Server(20, fixed(4.0), exponential(5.0)), 6.75, 52.72),
    "32 slots, lognormal": Known(Server(32, lognormal(3.0, 0.5), fixed(3.0)), 7.25, 78.49),
    "16 slots, exponential": Known(Server(16, exponential(2.0), exponential(5.0)), 9.25, 79.77),
    "24 slots, heavy tail": Known(Server(24, pareto(2.0, 2.2), exponential(3.0)), 8.25, 105.70),
    "80 slots, uniform": Known(Server(80, uniform(4, 6), exponential(4.0)), 8.25, 177.72),
    "64 slots, exponential": Known(Server(64, exponential(2.0), exponential(2.0)), 8.25, 198.57),
}

KNOWN_OPEN = {
    "1 slot, fixed": Known(Server(1, fixed(0.2), fixed(0)), 0.75, 1.95),
    "2 slots, exponential": Known(Server(2, exponential(0.3), fixed(0)), 1.75, 4.51),
    "8 slots, uniform": Known(Server(8, uniform(0.5, 1.5), fixed(0)), 2.25, 6.62),
    "10 slots, fixed": Known(Server(10, fixed(1.0), fixed(0)), 3.25, 9.41),
    "24 slots, lognormal": Known(Server(24, lognormal(0.8, 0.7), fixed(0)), 2.75, 28.60),
    "32 slots, exponential": Known(Server(32, exponential(0.5), fixed(0)), 2.25, 60.76),
    "64 slots, heavy tail": Known(Server(64, pareto(0.5, 2.2), fixed(0)), 1.75, 122.98),
}
"""The same with messages that arrive whatever the server does; by bisection over simulations of 60,000 tasks."""


@dataclass(frozen=True)
class Planned:
    """What a plan in virtual time came to."""

    conclusion: Conclusion
    answer: TierAnswer
    book: Observations
    seconds: float
    steps: Sequence[Step]
    settings: Settings

    @property
    def level(self) -> float:
        return self.answer.capacity.level or 0.0

    def is_close_to(self, capacity: float) -> bool:
        """Within 10 %, users as whole ones, as the answer is given."""
        if self.settings.arrivals:
            return abs(self.level / capacity - 1) <= 0.1
        return abs(math.floor(self.level) - math.floor(capacity)) <= 0.1 * math.floor(capacity)

    def covers(self, capacity: float) -> bool:
        high = self.answer.capacity.high
        return self.answer.capacity.low <= capacity <= (math.inf if high is None else high)


def planned(server: Server, slos: Sequence[str], seed: int = 1, pace: Pace = FULL, **more: Any) -> Planned:
    """Plan a server in virtual time, as `sendpoll plan` would on a real one."""
    more.setdefault("budget_s", 240 if pace == QUICK else 720)
    settings = Settings(ServiceLevel.parse(slos), pace=pace, **more)
    book = Observations(settings.service, arrivals=settings.arrivals)
    search = Search(settings, book)
    steps: list[Step] = []
    source = random.Random(seed)
    users = Users(tuple(server.think(source) for _ in range(2000)), server.poll_interval)
    model = ModelSearch(settings, search, lambda: controller.log, users, forecast)
    controller = PlanController(
        model.run(),
        book,
        task_deadline_s=settings.task_deadline_s,
        arrivals=settings.arrivals,
        on_step=steps.append,
    )
    load = Load(replace(server), seed, deadline_s=settings.task_deadline_s)
    seconds = run_virtually(controller, load)
    assert controller.conclusion is not None
    answer = tier_answer(book, book.tiers[0], settings)
    return Planned(controller.conclusion, answer, book, seconds, steps, settings)


def planned_known(known: Known, seed: int, pace: Pace = FULL, *, arrivals: bool = False) -> Planned:
    return planned(known.server, [f"task p95 <= {known.limit_s}s"], seed, pace, arrivals=arrivals)
